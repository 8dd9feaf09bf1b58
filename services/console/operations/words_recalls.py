"""What the numbers of licensing's enums about recalls are called: number to an English sentence."""

from collections.abc import Mapping

from services.console.web.reading import msgid

RECALL_STATES: Mapping[int, str] = {
    1: msgid("Issued"),
    2: msgid("Acknowledged"),
    3: msgid("Deleted"),
    4: msgid("Deleted, but a model was trained before"),
    5: msgid("Refused"),
    6: msgid("Overdue"),
}
"""`sluice.licensing.v1.RecallState`."""

GAP_KINDS: Mapping[int, str] = {
    1: msgid("Decided before, and the permit was still valid"),
    2: msgid("Decided after, on an answer from before"),
}
"""`sluice.licensing.v1.ReleaseGap.Kind`."""

WEBHOOK_FAULTS: Mapping[int, str] = {
    1: msgid("The name has no address"),
    2: msgid("An address of the name is not public"),
    3: msgid("Nobody took the connection"),
    4: msgid("No TLS connection came about"),
    5: msgid("It took too long"),
    6: msgid("What came back is no answer of HTTP"),
    7: msgid("The answer was no success"),
}
"""`sluice.licensing.v1.WebhookFault`."""
