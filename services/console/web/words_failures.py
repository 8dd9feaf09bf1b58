"""What a reader is told of why something did not work, by the reason of the refusal.

A reason that is not here is shown as the word that it is.
"""

from collections.abc import Mapping

from services.console.web.reading import msgid

WHY: Mapping[str, str] = {
    "DATABASE_UNAVAILABLE": msgid(
        "A service is there, but does not get at what it keeps. Try again in a few minutes."
    ),
    "DOWNLOADS_BUSY": msgid("Very many files are being fetched at the moment. Try again in a minute."),
    "DOWNLOADS_OF_ONE": msgid("You are fetching two files already. Wait until one of them is there."),
    "FORM_STALE": msgid(
        "It was made for another sign-in, or more than twelve hours ago. Look at the page again, and"
        " press there."
    ),
    "FORM_UNREADABLE": msgid("What came is not what the form on the page sends. Fill it in again."),
    "GATEWAY_NOT_CHECKED": msgid(
        "At the moment nobody can say whether you may ask for this, so it is not shown to anybody."
    ),
    "GATEWAY_NOT_COUNTED": msgid(
        "At the moment nobody counts how much is asked for, so that this cannot be asked for at all."
    ),
    "GATEWAY_RATE_LIMITED": msgid("Too much is asked for at the moment. Try again in a minute."),
    "LINK_USED": msgid("This link has been used, or is older than an hour. Have another one made."),
    "NOT_ADMITTED": msgid("Your sign-in is not for what was asked."),
    "OVERLOADED": msgid("Very many people are asking at the moment. Try again in a minute."),
    "PAGE_TOKEN_INVALID": msgid(
        "The address leads to a part of a list that is not there. Begin at its first page."
    ),
    "QUEUE_FULL": msgid("Very much is being recorded at the moment. Try again in a minute."),
    "RATE_LIMITED": msgid("You have asked for very much in a short time. Try again in a minute."),
    "WRONG_KIND": msgid("You have signed in, but this page is not for you."),
}
