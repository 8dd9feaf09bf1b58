"""What the numbers of licensing's enums about decisions are called: number to an English sentence."""

from collections.abc import Mapping

OUTCOMES: Mapping[int, str] = {1: "Released", 2: "Released in part", 3: "Denied"}
"""`sluice.licensing.v1.Outcome`."""

VERDICTS: Mapping[int, str] = {
    1: "Released",
    2: "Not covered",
    3: "Not available",
    4: "No room",
    5: "Duplicate",
}
"""`sluice.licensing.v1.Verdict`: all that licensees are told."""

REASONS: Mapping[int, str] = {
    1: "Released",
    10: "The license is not in force",
    11: "The purpose is not licensed",
    12: "The kind of content is not licensed",
    13: "The language is not licensed",
    14: "The time of the post is not licensed",
    20: "The id of the post is not possible",
    21: "The kind of the post is not known",
    22: "The time of the post is not possible",
    23: "The same post came before in the batch",
    40: "A contributor is not known",
    41: "A contributor is a minor",
    42: "A contributor's account is deactivated",
    43: "A contributor's account is suspended",
    44: "A contributor's account is deleted",
    45: "A contributor's posts are protected",
    46: "A contributor said no",
    47: "A contributor was to be asked and has not said yes",
    48: "A contributor was never shown the notice",
    49: "The policy forbids it",
    50: "No policy for this use is in force",
    51: "The license does not cover where a contributor lives",
    52: "A contributor is not named",
    53: "Halted by an operator",
    54: "The post was denied on its own",
    55: "The post was deleted",
    56: "Withheld in a country that the license covers",
    57: "The post is not known",
    60: "An allowance has no room",
}
"""`sluice.licensing.v1.Reason`: exact, for operators."""

DELIVERIES: Mapping[int, str] = {
    1: "Nothing was released",
    2: "Not confirmed yet",
    3: "Confirmed in time",
    4: "Not confirmed in time: counted in full",
    5: "Confirmed late: metered in full, billed as confirmed",
}
"""`sluice.licensing.v1.DeliveryState`."""

LICENSE_STATES: Mapping[int, str] = {
    1: "Draft",
    2: "Active",
    3: "Suspended",
    4: "Expired",
    5: "Terminated",
}
"""`sluice.licensing.v1.LicenseState`."""
