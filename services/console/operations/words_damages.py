"""What the numbers of metering's enums about damages are called: number to an English sentence."""

from collections.abc import Mapping

ASSESSMENT_STATES: Mapping[int, str] = {
    1: "A preview",
    2: "Recorded",
    3: "Disputed",
    4: "Upheld",
    5: "Reduced",
    6: "Withdrawn",
}
"""`sluice.metering.v1.AssessmentState`."""

STEP_KINDS: Mapping[int, str] = {
    1: "Put a dispute on record",
    2: "Uphold it as it is",
    3: "Reduce what is claimed",
    4: "Withdraw it for good",
}
"""`sluice.metering.v1.DisputeStepKind`."""

PROPOSAL_STATES: Mapping[int, str] = {
    1: "Waits for a second operator",
    2: "Approved",
    3: "Rejected",
}
"""`sluice.metering.v1.ProposalState`."""

OVERLAPS: Mapping[int, str] = {
    1: "The disjoint periods that come to the most",
    2: "The same, shorter periods allowed",
    3: "Calendar days (UTC)",
    4: "One window for each breach",
}
"""`sluice.metering.v1.DamagesOverlap`."""

ROUNDINGS: Mapping[int, str] = {
    1: "Whole units",
    2: "Started units",
    3: "Pro rata",
    4: "The excess alone, pro rata",
}
"""`sluice.metering.v1.DamagesRounding`."""

ACCESSES: Mapping[int, str] = {
    1: "asked for and not given",
    2: "shown",
    3: "handed over as data",
}
"""`sluice.metering.v1.AccessKind`, of posts."""
