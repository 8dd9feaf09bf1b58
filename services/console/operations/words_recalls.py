"""What the numbers of licensing's enums about recalls are called: number to an English sentence."""

from collections.abc import Mapping

RECALL_STATES: Mapping[int, str] = {
    1: "Issued",
    2: "Acknowledged",
    3: "Deleted",
    4: "Deleted, but a model was trained before",
    5: "Refused",
    6: "Overdue",
}
"""`sluice.licensing.v1.RecallState`."""

GAP_KINDS: Mapping[int, str] = {
    1: "Decided before, and the permit was still valid",
    2: "Decided after, on an answer from before",
}
"""`sluice.licensing.v1.ReleaseGap.Kind`."""

WEBHOOK_FAULTS: Mapping[int, str] = {
    1: "The name has no address",
    2: "An address of the name is not public",
    3: "Nobody took the connection",
    4: "No TLS connection came about",
    5: "It took too long",
    6: "What came back is no answer of HTTP",
    7: "The answer was no success",
}
"""`sluice.licensing.v1.WebhookFault`."""
