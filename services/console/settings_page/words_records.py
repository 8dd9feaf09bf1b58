"""What is on record about a subject, in words that they read: by number of the contract, in English.

Whoever shows one translates it. A number that is not here is of a contract newer than this page.
"""

from collections.abc import Mapping

from services.console.web.reading import msgid
from sluice.licensing.v1.recall_pb2 import RecallState

RECORDERS: Mapping[str, str] = {
    "subject": msgid("you"),
    "agent": msgid("your agent"),
    "operator": msgid("the platform"),
    "pipeline": msgid("the platform"),
}
"""Who recorded a choice, by kind of caller; who of the platform it was is not told."""

RECALLS: Mapping[int, str] = {
    RecallState.RECALL_STATE_ISSUED: msgid("Told to delete; no answer yet"),
    RecallState.RECALL_STATE_ACKNOWLEDGED: msgid("Has confirmed that it was told to delete; not done yet"),
    RecallState.RECALL_STATE_DELETED: msgid("Says that all copies are deleted"),
    RecallState.RECALL_STATE_CANNOT_UNTRAIN: msgid(
        "Says that all copies are deleted; a model was trained before"
    ),
    RecallState.RECALL_STATE_REFUSED: msgid("Refuses to delete"),
    RecallState.RECALL_STATE_OVERDUE: msgid("Told to delete, and the time for it is over"),
}
"""`sluice.licensing.v1.RecallState`, of the licensee."""


def recorder(recorded_by: str) -> str:
    """Who recorded a choice, in words, from kind and party as the contract has them."""
    return RECORDERS.get(recorded_by.partition(":")[0], RECORDERS["operator"])
