"""What the numbers of licensing's enums about licenses and the wall are called: number to English words."""

from collections.abc import Mapping

from services.console.web.reading import msgid

TEMPLATES: Mapping[int, str] = {
    1: msgid("Commercial"),
    2: msgid("API tier"),
    3: msgid("Research"),
    4: msgid("Internal"),
}
"""`sluice.licensing.v1.LicenseTemplate`."""

PER: Mapping[int, str] = {
    1: msgid("Under this license"),
    2: msgid("By the licensee, under any license"),
    3: msgid("By the licensee and those counted with it"),
}
"""`sluice.licensing.v1.AllowanceSubject`, and `sluice.metering.v1.AllowanceScope` with the same numbers."""

WINDOWS: Mapping[int, str] = {
    1: msgid("in any second"),
    2: msgid("in any minute"),
    3: msgid("in any 24 hours"),
    4: msgid("in the whole term"),
}
"""`sluice.type.v1.Window`."""

CONTENT_KINDS: Mapping[int, str] = {
    1: msgid("Posts"),
    2: msgid("Replies"),
    3: msgid("Quotes"),
    4: msgid("Reposts"),
}
"""`sluice.type.v1.ContentKind`."""

STEPS: Mapping[int, str] = {
    0: msgid("What was done is not on record"),
    1: msgid("Drafted"),
    2: msgid("Amended: another version was drafted"),
    3: msgid("Put into force"),
    4: msgid("Given the time from which it is in force"),
    5: msgid("Taken back"),
    6: msgid("Suspended"),
    7: msgid("Resumed"),
    8: msgid("Terminated"),
}
"""`sluice.licensing.v1.LicenseStep`."""

PERIODS: Mapping[int, str] = {
    1: msgid("Every day"),
    2: msgid("Every month"),
    3: msgid("Every quarter"),
    4: msgid("Every year"),
}
"""`sluice.licensing.v1.BillingPeriod`."""

AFFILIATE_STANDINGS: Mapping[int, str] = {
    1: msgid("Counted together with the licensee"),
    2: msgid("Will be counted together with the licensee"),
    3: msgid("Was counted together with the licensee"),
    4: msgid("A change is under way"),
    5: msgid("Metering says otherwise than the record"),
}
"""`sluice.licensing.v1.AffiliateStanding`."""

TIERS: Mapping[int, str] = {
    1: msgid("Licensees with an API license in force"),
    2: msgid("Licensees with a research license in force"),
    3: msgid("Whoever has a token: every licensee, agent and auditor"),
}
"""`sluice.licensing.v1.WallTier`."""
