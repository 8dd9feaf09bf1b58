"""What the numbers of consent's enums are called on pages: one table an enum, number to an English sentence.

They are what catalogues translate. A number that a table lacks, of a newer service, is never taken for one
that allows: `word` says that this page has no word for it.
"""

from collections.abc import Mapping

from services.console.web.reading import Reader

PURPOSES: Mapping[int, str] = {
    1: "Passing posts on to third parties",
    2: "Training of generative AI",
    3: "Training of other AI",
    4: "Looking posts up to answer with AI",
    5: "Indexes made for AI",
    6: "Search engines",
    7: "Text and data mining",
    8: "Vetted research",
}
"""`sluice.type.v1.Purpose`, as headings."""

PURPOSE_MEANINGS: Mapping[int, str] = {
    1: "Giving posts to another company at all. All other uses in this list need this as well.",
    2: "Training of models that write text or make pictures, sound or film.",
    3: "Training of models that make no content, such as those that sort, filter or rank.",
    4: "A model is given posts when it answers somebody, to answer by them.",
    5: "Posts are turned into numbers by which models find them.",
    6: "A search engine lists posts and leads people to them.",
    7: "Programs look for patterns in many posts, and train no model.",
    8: "Research that the law obliges platforms to support. Choices do not apply to it.",
}
"""What each purpose is about, in a sentence."""

CONSENT_REASONS: Mapping[int, str] = {
    1: "Allowed",
    2: "A contributor is not known",
    3: "A contributor is a minor",
    4: "A contributor's account is deactivated",
    5: "A contributor's account is suspended",
    6: "A contributor's account is deleted",
    7: "A contributor's posts are protected",
    8: "A contributor said no",
    9: "A contributor was to be asked and has not said yes",
    10: "A contributor was never shown the notice",
    11: "The policy forbids it",
    12: "No policy for this use is in force",
    13: "The license does not cover where a contributor lives",
    14: "A contributor is not named",
    15: "Halted by an operator",
    16: "The post was denied on its own",
    17: "The post was deleted",
    18: "Withheld in a country that the license covers",
}
"""`sluice.consent.v1.ConsentReason`, of a post, for operators."""

OWN_REASONS: Mapping[int, str] = {
    1: "Nothing stands against it.",
    2: "This platform has not told us yet who you are. Until it has, nothing of yours goes to anybody.",
    3: "You are on record as a minor. Posts of minors go to nobody, whatever was chosen.",
    4: "Your account is deactivated. While it is, nothing of yours goes to anybody.",
    5: "Your account is suspended. While it is, nothing of yours goes to anybody.",
    6: "Your account is deleted. Nothing of yours goes to anybody.",
    7: "Your posts are protected. While they are, they go to nobody.",
    8: "You said no.",
    9: "Where you live this needs your yes, and you have not given it.",
    10: "You have not been shown the notice that this needs.",
    11: "The policy forbids it where you live, whatever is chosen.",
    12: "No policy for it is in force, and without one nothing goes to anybody.",
    13: "No license covers where you live.",
    14: "The author is not named.",
    15: "All of it is halted at the moment, whatever was chosen.",
    16: "The post was denied on its own.",
    17: "The post was deleted.",
    18: "Your posts are withheld in a country, and go to nobody who may use them there.",
}
"""`sluice.consent.v1.ConsentReason`, of everything of the reader's, as sentences to them."""

REGIMES: Mapping[int, str] = {
    0: "No rule is in force, so nothing goes to anybody.",
    1: "Only with your yes.",
    2: "Unless you say no, once you have been shown the notice.",
    3: "Never, whatever you choose.",
}
"""`sluice.consent.v1.Regime`, for those who have not chosen."""

STANCES: Mapping[int, str] = {1: "Yes", 2: "No"}
"""`sluice.consent.v1.Stance`."""

METHODS: Mapping[int, str] = {
    0: "How it was made is not on record",
    1: "On this page",
    2: "By the platform, as you asked for it",
    3: "Taken over from another system",
    4: "By a signal of your browser (Global Privacy Control)",
    5: "By a preference that was sent along (AIPREF)",
    6: "By your agent",
}
"""`sluice.consent.v1.ChoiceMethod`."""

SUBJECT_STATES: Mapping[int, str] = {
    1: "Minor",
    2: "Deactivated",
    3: "Suspended",
    4: "Deleted",
    5: "Protected",
}
"""`sluice.consent.v1.SubjectState`."""

NO_WORD = "This page has no word for it (%(number)s)."


def word(reader: Reader, table: Mapping[int, str], number: int) -> str:
    """What a number of an enum is called in the reader's language."""
    return reader.say(table[number]) if number in table else reader.say(NO_WORD, number=number)
