"""Requests for every RPC, made from its descriptor: what names somebody's is filled in with what is theirs.

What has a path in JSON is asked for in full. All else is sent empty: whoever is let in hears that this is not
enough, and nothing is changed by it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from tests.support.matrix.asking import new_id
from tests.support.matrix.callers import ANN
from tests.support.matrix.holdings import TRAINING, Holdings, a_post
from tests.support.matrix.methods import Rpc

NAMES_SOMEBODYS = (
    "license_id",
    "licensee_id",
    "decision_id",
    "recall_id",
    "invoice",
    "invoice_id",
    "credit_note",
    "subject_id",
    "choice.subject_id",
    "of.party_id",
    "of.license_id",
    "of.group_id",
)
"""Fields of requests that say whose it is, or which of theirs."""
NONE: Mapping[str, Any] = {}
_ATTESTED = {"name": "Ada", "role": "DPO", "statement": "Deleted."}
_MORE: Mapping[str, Mapping[str, Any]] = {
    # Of nothing that was released, so that nothing is recalled for it.
    "consent.v1.ConsentService/RecordChoice": {
        "choice": {"stance": "STANCE_DENY", "licenseeId": "somebody", "purpose": "PURPOSE_SEARCH_INDEX"}
    },
    "consent.v1.ConsentService/RecordSignals": {"source": "tests", "secGpc": "0"},
    "licensing.v1.DeliveryService/CountersignDelivery": {"postsReceived": "2"},
    "licensing.v1.ExplanationService/ExplainRelease": {
        "purpose": TRAINING,
        "posts": {"posts": [a_post(11, ANN)]},
    },
    "licensing.v1.LogService/GetConsistencyProof": {"first": "1", "second": "2"},
    "licensing.v1.RecallService/ResolveRecall": {
        "resolution": {"outcome": "RECALL_STATE_DELETED", "attestation": _ATTESTED}
    },
    "licensing.v1.ReleaseService/RequestRelease": {"purpose": TRAINING, "postIds": ["11"]},
    "licensing.v1.StatisticsService/GetDecisionStats": {"by": "STATS_STRETCH_DAY"},
    "metering.v1.UsageService/MaxWindow": {"window": "60s"},
    "metering.v1.UsageService/WatchUsage": {"window": "WINDOW_ROLLING_DAY", "limit": "1000"},
}
"""What a request needs besides, in JSON."""


def fields_of(rpc: Rpc) -> Sequence[str]:
    """Which fields of its requests name somebody's; of what has no path in JSON none are looked at."""
    return [path for path in NAMES_SOMEBODYS if rpc.rules and _field(rpc.method.input_type, path)]


def a_request(rpc: Rpc, theirs: Holdings, others: Mapping[str, Any] = NONE) -> Message:
    """One for what is theirs; `others` are values by field instead of those.

    Of a choice between several fields the first is taken, unless one of `others` is among them.
    """
    request = rpc.request()
    if not rpc.rules:
        return request
    json_format.ParseDict(dict(_MORE.get(rpc.name, {})), request)
    for path in fields_of(rpc):
        if not _is_chosen(request, path):
            _set(request, path, theirs[path])
    for path, value in others.items():
        _set(request, path, value)
    # In a read it is somebody's word of before, to be found.
    if rpc.changes_something and "request_id" in request.DESCRIPTOR.fields_by_name:
        _set(request, "request_id", new_id())
    return request


def _field(message: Descriptor, path: str) -> FieldDescriptor | None:
    *parents, last = path.split(".")
    for parent in parents:
        field = message.fields_by_name.get(parent)
        if field is None or field.message_type is None:
            return None
        message = field.message_type
    return message.fields_by_name.get(last)


def _is_chosen(request: Message, path: str) -> bool:
    """Whether the choice that the field is one of is made already."""
    *parents, last = path.split(".")
    for parent in parents:
        request = getattr(request, parent)
    one_of = request.DESCRIPTOR.fields_by_name[last].containing_oneof
    return one_of is not None and request.WhichOneof(one_of.name) is not None


def _set(request: Message, path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        request = getattr(request, parent)
    setattr(request, last, value)
