"""What a subject or their agent is told of why something did not work, by the reason of the refusal."""

from collections.abc import Mapping

from services.console.web.reading import msgid
from services.console.web.words_failures import WHY

OWN_WHY: Mapping[str, str] = {
    **WHY,
    "CSV_MALFORMED": msgid("The file is no table in CSV: a quotation mark in it is not closed."),
    "LICENSEE_ID_MALFORMED": msgid(
        "The licensee has to be named by its id, which has small letters, digits and hyphens, such as acme-2."
    ),
    "LIST_AND_ALL": msgid(
        "“For all I act for” was chosen, and a list or a file came as well. Choose one of the two: either for"
        " all, or for those in the list."
    ),
    "LIST_TOO_LONG": msgid(
        "The list is longer than 200,000 characters; the ids of everybody whom you can act for take far less."
    ),
    "NOBODY_NAMED": msgid("The list is empty: write an id into it, or choose a file that has some."),
    "NOT_AN_AGENT": msgid("This page is for those who act for others."),
    "NOT_A_SUBJECT": msgid("This page is for people whose own posts it is about."),
    "SIGN_IN_TOO_LARGE": msgid(
        "Your sign-in is too large for a browser to keep. Have it name fewer people, or use the programs'"
        " interface (API) of this platform."
    ),
    "SUBJECT_ERASED": msgid(
        "Your records here were erased. What is left is a no to everything, for good: there is nothing"
        " to choose."
    ),
    "SUBJECT_NOT_A_NUMBER": msgid("Your sign-in names you in a way that this page does not know."),
    "SUBJECT_UNKNOWN": msgid(
        "This platform has not told us yet who you are. A no can be put on record before that, a yes cannot."
    ),
    "TOO_MANY_SCOPES": msgid(
        "Your choices name as many licensees already as can be kept. A no for everyone can always be said,"
        " and it is for this licensee as well."
    ),
}
"""Those of every page, and what can be said to them alone."""
