"""What the numbers of licensing's enums about licenses and the wall are called: number to English words."""

from collections.abc import Mapping

TEMPLATES: Mapping[int, str] = {1: "Commercial", 2: "API tier", 3: "Research", 4: "Internal"}
"""`sluice.licensing.v1.LicenseTemplate`."""

PER: Mapping[int, str] = {
    1: "Under this license",
    2: "By the licensee, under any license",
    3: "By the licensee and those counted with it",
}
"""`sluice.licensing.v1.AllowanceSubject`, and `sluice.metering.v1.AllowanceScope` with the same numbers."""

WINDOWS: Mapping[int, str] = {
    1: "in any second",
    2: "in any minute",
    3: "in any 24 hours",
    4: "in the whole term",
}
"""`sluice.type.v1.Window`."""

CONTENT_KINDS: Mapping[int, str] = {1: "Posts", 2: "Replies", 3: "Quotes", 4: "Reposts"}
"""`sluice.type.v1.ContentKind`."""

STEPS: Mapping[int, str] = {
    0: "What was done is not on record",
    1: "Drafted",
    2: "Amended: another version was drafted",
    3: "Put into force",
    4: "Given the time from which it is in force",
    5: "Taken back",
    6: "Suspended",
    7: "Resumed",
    8: "Terminated",
}
"""`sluice.licensing.v1.LicenseStep`."""

PERIODS: Mapping[int, str] = {1: "Every day", 2: "Every month", 3: "Every quarter", 4: "Every year"}
"""`sluice.licensing.v1.BillingPeriod`."""

AFFILIATE_STANDINGS: Mapping[int, str] = {
    1: "Counted together with the licensee",
    2: "Will be counted together with the licensee",
    3: "Was counted together with the licensee",
    4: "A change is under way",
    5: "Metering says otherwise than the record",
}
"""`sluice.licensing.v1.AffiliateStanding`."""

TIERS: Mapping[int, str] = {
    1: "Licensees with an API license in force",
    2: "Licensees with a research license in force",
    3: "Whoever has a token: every licensee, agent and auditor",
}
"""`sluice.licensing.v1.WallTier`."""
