"""What the numbers of metering's enums about damages are called: number to an English sentence."""

from collections.abc import Mapping

from services.console.web.reading import msgid

ASSESSMENT_STATES: Mapping[int, str] = {
    1: msgid("A preview"),
    2: msgid("Recorded"),
    3: msgid("Disputed"),
    4: msgid("Upheld"),
    5: msgid("Reduced"),
    6: msgid("Withdrawn"),
}
"""`sluice.metering.v1.AssessmentState`."""

STEP_KINDS: Mapping[int, str] = {
    1: msgid("Put a dispute on record"),
    2: msgid("Uphold it as it is"),
    3: msgid("Reduce what is claimed"),
    4: msgid("Withdraw it for good"),
}
"""`sluice.metering.v1.DisputeStepKind`."""

PROPOSAL_STATES: Mapping[int, str] = {
    1: msgid("Waits for a second operator"),
    2: msgid("Approved"),
    3: msgid("Rejected"),
}
"""`sluice.metering.v1.ProposalState`."""

OVERLAPS: Mapping[int, str] = {
    1: msgid("The disjoint periods that come to the most"),
    2: msgid("The same, shorter periods allowed"),
    3: msgid("Calendar days (UTC)"),
    4: msgid("One window for each breach"),
}
"""`sluice.metering.v1.DamagesOverlap`."""

ROUNDINGS: Mapping[int, str] = {
    1: msgid("Whole units"),
    2: msgid("Started units"),
    3: msgid("Pro rata"),
    4: msgid("The excess alone, pro rata"),
}
"""`sluice.metering.v1.DamagesRounding`."""

ACCESSES: Mapping[int, str] = {
    1: msgid("asked for and not given"),
    2: msgid("shown"),
    3: msgid("handed over as data"),
}
"""`sluice.metering.v1.AccessKind`, of posts."""
