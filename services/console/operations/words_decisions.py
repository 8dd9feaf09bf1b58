"""What the numbers of licensing's enums about decisions are called: number to an English sentence."""

from collections.abc import Mapping

from services.console.web.reading import msgid

OUTCOMES: Mapping[int, str] = {1: msgid("Released"), 2: msgid("Released in part"), 3: msgid("Denied")}
"""`sluice.licensing.v1.Outcome`."""

VERDICTS: Mapping[int, str] = {
    1: msgid("Released"),
    2: msgid("Not covered"),
    3: msgid("Not available"),
    4: msgid("No room"),
    5: msgid("Duplicate"),
}
"""`sluice.licensing.v1.Verdict`: all that licensees are told."""

REASONS: Mapping[int, str] = {
    1: msgid("Released"),
    10: msgid("The license is not in force"),
    11: msgid("The purpose is not licensed"),
    12: msgid("The kind of content is not licensed"),
    13: msgid("The language is not licensed"),
    14: msgid("The time of the post is not licensed"),
    20: msgid("The id of the post is not possible"),
    21: msgid("The kind of the post is not known"),
    22: msgid("The time of the post is not possible"),
    23: msgid("The same post came before in the batch"),
    40: msgid("A contributor is not known"),
    41: msgid("A contributor is a minor"),
    42: msgid("A contributor's account is deactivated"),
    43: msgid("A contributor's account is suspended"),
    44: msgid("A contributor's account is deleted"),
    45: msgid("A contributor's posts are protected"),
    46: msgid("A contributor said no"),
    47: msgid("A contributor was to be asked and has not said yes"),
    48: msgid("A contributor was never shown the notice"),
    49: msgid("The policy forbids it"),
    50: msgid("No policy for this use is in force"),
    51: msgid("The license does not cover where a contributor lives"),
    52: msgid("A contributor is not named"),
    53: msgid("Halted by an operator"),
    54: msgid("The post was denied on its own"),
    55: msgid("The post was deleted"),
    56: msgid("Withheld in a country that the license covers"),
    57: msgid("The post is not known"),
    60: msgid("An allowance has no room"),
}
"""`sluice.licensing.v1.Reason`: exact, for operators."""

DELIVERIES: Mapping[int, str] = {
    1: msgid("Nothing was released"),
    2: msgid("Not confirmed yet"),
    3: msgid("Confirmed in time"),
    4: msgid("Not confirmed in time: counted in full"),
    5: msgid("Confirmed late: metered in full, billed as confirmed"),
}
"""`sluice.licensing.v1.DeliveryState`."""

LICENSE_STATES: Mapping[int, str] = {
    1: msgid("Draft"),
    2: msgid("Active"),
    3: msgid("Suspended"),
    4: msgid("Expired"),
    5: msgid("Terminated"),
}
"""`sluice.licensing.v1.LicenseState`."""
