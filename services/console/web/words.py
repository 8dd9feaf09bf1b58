"""What the numbers of consent's enums are called on pages: one table an enum, number to an English sentence.

They are what catalogues translate. A number that a table lacks, of a newer service, is never taken for one
that allows: `word` says that this page has no word for it.
"""

from collections.abc import Mapping

from services.console.web.reading import Reader, msgid

PURPOSES: Mapping[int, str] = {
    1: msgid("Passing posts on to third parties"),
    2: msgid("Training of generative AI"),
    3: msgid("Training of other AI"),
    4: msgid("Looking posts up to answer with AI"),
    5: msgid("Indexes made for AI"),
    6: msgid("Search engines"),
    7: msgid("Text and data mining"),
    8: msgid("Vetted research"),
}
"""`sluice.type.v1.Purpose`, as headings."""

PURPOSE_MEANINGS: Mapping[int, str] = {
    1: msgid("Giving posts to another company at all. All other uses in this list need this as well."),
    2: msgid("Training of models that write text or make pictures, sound or film."),
    3: msgid("Training of models that make no content, such as those that sort, filter or rank."),
    4: msgid("A model is given posts when it answers somebody, to answer by them."),
    5: msgid("Posts are turned into numbers by which models find them."),
    6: msgid("A search engine lists posts and leads people to them."),
    7: msgid("Programs look for patterns in many posts, and train no model."),
    8: msgid("Research that the law obliges platforms to support. Choices do not apply to it."),
}
"""What each purpose is about, in a sentence."""

CONSENT_REASONS: Mapping[int, str] = {
    1: msgid("Allowed"),
    2: msgid("A contributor is not known"),
    3: msgid("A contributor is a minor"),
    4: msgid("A contributor's account is deactivated"),
    5: msgid("A contributor's account is suspended"),
    6: msgid("A contributor's account is deleted"),
    7: msgid("A contributor's posts are protected"),
    8: msgid("A contributor said no"),
    9: msgid("A contributor was to be asked and has not said yes"),
    10: msgid("A contributor was never shown the notice"),
    11: msgid("The policy forbids it"),
    12: msgid("No policy for this use is in force"),
    13: msgid("The license does not cover where a contributor lives"),
    14: msgid("A contributor is not named"),
    15: msgid("Halted by an operator"),
    16: msgid("The post was denied on its own"),
    17: msgid("The post was deleted"),
    18: msgid("Withheld in a country that the license covers"),
}
"""`sluice.consent.v1.ConsentReason`, of a post, for operators."""

OWN_REASONS: Mapping[int, str] = {
    1: msgid("Nothing stands against it."),
    2: msgid(
        "This platform has not told us yet who you are. Until it has, nothing of yours goes to anybody."
    ),
    3: msgid("You are on record as a minor. Posts of minors go to nobody, whatever was chosen."),
    4: msgid("Your account is deactivated. While it is, nothing of yours goes to anybody."),
    5: msgid("Your account is suspended. While it is, nothing of yours goes to anybody."),
    6: msgid("Your account is deleted. Nothing of yours goes to anybody."),
    7: msgid("Your posts are protected. While they are, they go to nobody."),
    8: msgid("You said no."),
    9: msgid("Where you live this needs your yes, and you have not given it."),
    10: msgid("You have not been shown the notice that this needs."),
    11: msgid("The policy forbids it where you live, whatever is chosen."),
    12: msgid("No policy for it is in force, and without one nothing goes to anybody."),
    13: msgid("No license covers where you live."),
    14: msgid("The author is not named."),
    15: msgid("All of it is halted at the moment, whatever was chosen."),
    16: msgid("The post was denied on its own."),
    17: msgid("The post was deleted."),
    18: msgid("Your posts are withheld in a country, and go to nobody who may use them there."),
}
"""`sluice.consent.v1.ConsentReason`, of everything of the reader's, as sentences to them."""

REGIMES: Mapping[int, str] = {
    0: msgid("No rule is in force, so nothing goes to anybody."),
    1: msgid("Only with your yes."),
    2: msgid("Unless you say no."),
    3: msgid("Never, whatever you choose."),
}
"""`sluice.consent.v1.Regime`, for those who have not chosen."""

STANCES: Mapping[int, str] = {1: msgid("Yes"), 2: msgid("No")}
"""`sluice.consent.v1.Stance`."""

METHODS: Mapping[int, str] = {
    0: msgid("How it was made is not on record"),
    1: msgid("On this page"),
    2: msgid("By the platform, as you asked for it"),
    3: msgid("Taken over from another system"),
    4: msgid("By a signal of your browser (Global Privacy Control)"),
    5: msgid("By a preference that was sent along (AIPREF)"),
    6: msgid("By your agent"),
}
"""`sluice.consent.v1.ChoiceMethod`."""

SUBJECT_STATES: Mapping[int, str] = {
    1: msgid("Minor"),
    2: msgid("Deactivated"),
    3: msgid("Suspended"),
    4: msgid("Deleted"),
    5: msgid("Protected"),
}
"""`sluice.consent.v1.SubjectState`."""

NO_WORD = msgid("This page has no word for it (%(number)s).")


def word(reader: Reader, table: Mapping[int, str], number: int) -> str:
    """What a number of an enum is called in the reader's language."""
    return reader.say(table[number]) if number in table else reader.say(NO_WORD, number=number)
