"""Which recalls somebody wants to see, as the address of the page says it."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from services.console.operations.own_ids import NO_ID, is_name
from services.console.web.reading import msgid
from sluice.licensing.v1 import recall_service_pb2 as pb
from sluice.licensing.v1.recall_pb2 import RecallState

PAGE = 50
NO_STATE = msgid("There are no recalls of this kind.")

UNRESOLVED = (
    RecallState.RECALL_STATE_ISSUED,
    RecallState.RECALL_STATE_ACKNOWLEDGED,
    RecallState.RECALL_STATE_OVERDUE,
)


class Which(enum.StrEnum):
    """What a list of recalls is of; the values stand in addresses."""

    OPEN = "open"
    SOON = "soon"
    OVERDUE = "overdue"
    ACKNOWLEDGED = "acknowledged"
    DELETED = "deleted"
    CANNOT_UNTRAIN = "cannot_untrain"
    REFUSED = "refused"
    ALL = "all"


WORDS: Mapping[Which, str] = {
    Which.OPEN: msgid("Not resolved"),
    Which.SOON: msgid("Due within three days"),
    Which.OVERDUE: msgid("Overdue"),
    Which.ACKNOWLEDGED: msgid("Acknowledged"),
    Which.DELETED: msgid("Deleted"),
    Which.CANNOT_UNTRAIN: msgid("Deleted, but a model was trained before"),
    Which.REFUSED: msgid("Refused"),
    Which.ALL: msgid("All"),
}

_STATES: Mapping[Which, Sequence[RecallState]] = {
    Which.OPEN: UNRESOLVED,
    # Licensing is not asked by deadline: of what is not resolved the page picks.
    Which.SOON: UNRESOLVED,
    Which.OVERDUE: [RecallState.RECALL_STATE_OVERDUE],
    Which.ACKNOWLEDGED: [RecallState.RECALL_STATE_ACKNOWLEDGED],
    Which.DELETED: [RecallState.RECALL_STATE_DELETED],
    Which.CANNOT_UNTRAIN: [RecallState.RECALL_STATE_CANNOT_UNTRAIN],
    Which.REFUSED: [RecallState.RECALL_STATE_REFUSED],
    Which.ALL: [],
}


@dataclass(frozen=True)
class RecallWish:
    """Some recalls."""

    which: Which
    licensee_id: str = ""
    faults: tuple[str, ...] = ()
    """A sentence for each thing in the address that says nothing."""

    def query(self, page: str = "") -> str:
        """As the query of an address, of this page or the first."""
        given = {"which": self.which.value, "licensee": self.licensee_id, "page": page}
        return urlencode({name: value for name, value in given.items() if value})

    def request(self, page_token: str = "") -> pb.ListRecallsRequest:
        """What licensing is asked for."""
        return pb.ListRecallsRequest(
            licensee_id=self.licensee_id,
            states=_STATES[self.which],
            page_size=PAGE,
            page_token=page_token,
        )


def read_recalls(given: Mapping[str, str]) -> RecallWish:
    """What an address says; what is not resolved, where it says nothing."""
    faults, which, licensee_id = list[str](), given.get("which", ""), given.get("licensee", "").strip()
    if which and which not in set(Which):
        faults.append(NO_STATE)
        which = ""
    if licensee_id and not is_name(licensee_id):
        faults.append(NO_ID)
        licensee_id = ""
    return RecallWish(Which(which or Which.OPEN), licensee_id, tuple(faults))
