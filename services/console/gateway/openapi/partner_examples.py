"""What partners ask and are answered, as they would see it: one licensee, one request, one recall.

Written by hand, for what is put together field by field says what no service does. Each is checked by tests,
as its message, by its schema, and against the others; the receipt is a real one, of the request beside it.
"""

from dataclasses import dataclass, field
from typing import Any

from services.console.gateway.openapi.rules import Json


@dataclass(frozen=True)
class Exchange:
    """A call and its answer."""

    answer: Json
    parameters: dict[str, Any] = field(default_factory=dict)
    """In path and query, by name as in JSON; not all of them are there in each way to an RPC."""
    body: Json = field(default_factory=dict)
    """What is sent with a POST, without what is in the path."""


REQUEST_ID = "01a217ba-1200-7000-8000-000000000001"
DECISION_ID = "01a217ba-12fa-7000-8000-000000000002"
RECALL_ID = "01a2266c-9800-7000-8000-000000000004"
RECEIPT = (
    "eyJhbGciOiJFZERTQSIsImtpZCI6IjFJRzJ0TUg3SjJ3Ykpabk9mOExKelFpdEtmN0xNdm9BRWxzdURNVk01NFkiLCJ0eXAi"
    "OiJzbHVpY2UtcmVjZWlwdCtqc29uIn0.eyJjb25zZW50X2Vwb2NoIjpudWxsLCJjb25zZW50X3JldmlzaW9uIjpudWxsLCJj"
    "b3VudGVkX2F0IjoiMjAyNi0xMS0yNlQxMjowMDowMC4yMDAwMDBaIiwiY291bnRzIjp7Ik5PVF9BVkFJTEFCTEUiOjEsIlJF"
    "TEVBU0VEIjoyfSwiZGVjaWRlZF9hdCI6IjIwMjYtMTEtMjZUMTI6MDA6MDAuMjUwMDAwWiIsImRlY2lzaW9uX2lkIjoiMDFh"
    "MjE3YmEtMTJmYS03MDAwLTgwMDAtMDAwMDAwMDAwMDAyIiwibGljZW5zZV9pZCI6ImFjbWUtdHJhaW5pbmciLCJsaWNlbnNl"
    "X3ZlcnNpb24iOjEsImxpY2Vuc2VlX2lkIjoiYWNtZSIsIm1hbmlmZXN0X2xlYXZlcyI6MiwibWFuaWZlc3Rfcm9vdCI6IjQ4"
    "MTM0OTRkMTM3ZTE2MzFiYmEzMDFkNWFjYWI2ZTdiYjdhYTc0Y2UxMTg1ZDQ1NjU2NWVmNTFkNzM3Njc3YjIiLCJub3RfYWZ0"
    "ZXIiOiIyMDI2LTExLTI2VDEyOjAwOjMwLjI1MDAwMFoiLCJudW1iZXIiOjQxLCJvdXRjb21lIjoiUEFSVElBTCIsInBvbGlj"
    "eV92ZXJzaW9uIjpudWxsLCJwcmluY2lwYWwiOiJhY21lIiwicHJpbmNpcGFsX2tpbmQiOiJsaWNlbnNlZSIsInB1cnBvc2Ui"
    "OiJhaV90cmFpbmluZ19nZW5lcmF0aXZlIiwicmVxdWVzdF9kaWdlc3QiOiI1YTI1YWNkYjY0OWIyZWRkYTBlZjcxMDcwOWIy"
    "MTk0NDIwZDJkODVjNzU0NGIxMjI0NTE2NDRkOTJjYzQ3MzJkIiwicmVxdWVzdF9pZCI6IjAxYTIxN2JhLTEyMDAtNzAwMC04"
    "MDAwLTAwMDAwMDAwMDAwMSIsInJlc2VydmF0aW9uX2lkIjoiMDFhMjE3YmEtMTJhMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAz"
    "IiwicmVzb2x2ZWRfZGlnZXN0IjoiZGM2NzZiNDI4NTk5MTVjODI2ZjhiYmFlZjY1MTE5OThmN2FlZGJkNmUzMzI1NjVmYWVk"
    "YTE3ZmMzM2VjNjMyMCIsInRlcm1zX2RpZ2VzdCI6IjUxZDIzNjFmNGZhZWEzYmM4ZjlmYWNkYmM3ZDk5YWJiNTU1NTk2YTJl"
    "NTFmN2IyNWZkM2I0MWM5MzU4N2U2MTYiLCJ0cmFjZV9pZCI6IjRiZjkyZjM1NzdiMzRkYTZhM2NlOTI5ZDBlMGU0NzM2Iiwi"
    "diI6MSwidmVyZGljdHNfZGlnZXN0IjoiYWNkODJmOWMxZGVkNDg2MDc5ZGU1N2Y4MWMzYzZmMTNkY2M3NDBkNzk2MDQ1Y2Rm"
    "OGI1MGE4MTI3MWQ3OTA2MyJ9.v4E6aJc1F_DtmWDWIruHRkzXaZ3fwZhMUQu5oMo1saz3WDPUGSIahOkVEFVUk7asDud_FHX"
    "An43_NX25OnoNBA"
)
_POSTS = ["1857123456789012480", "1857123456789012481", "1857123456789012482"]
_DECIDED: Json = {
    "decisionId": DECISION_ID,
    "requestId": REQUEST_ID,
    "licenseId": "acme-training",
    "licenseVersion": 1,
    "outcome": "OUTCOME_PARTIAL",
    # Released, not available, released: a byte for each post.
    "verdicts": "AQMB",
    "decidedAt": "2026-11-26T12:00:00.250Z",
    "notAfter": "2026-11-26T12:00:30.250Z",
    "validFor": "30s",
    "replayed": False,
    "isVoid": False,
    "receipt": RECEIPT,
    "receiptNumber": "41",
    "requestKey": "bCLl92XJFQLwHESg1j0eTqiZ6AqGkMJdiS86sO6uGRI=",
    "reservationId": "01a217ba-12a0-7000-8000-000000000003",
    "countedAt": "2026-11-26T12:00:00.200Z",
    "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
    "delivery": {"state": "DELIVERY_STATE_OPEN", "postsReleased": 2, "postsMetered": 2, "postsBilled": 2},
    "sandbox": False,
}
_LATER: Json = {
    **_DECIDED,
    "validFor": "0s",
    "replayed": True,
    "isVoid": True,
    "delivery": {
        "state": "DELIVERY_STATE_CONFIRMED",
        "postsReleased": 2,
        "postsMetered": 2,
        "postsBilled": 2,
        "confirmedAt": "2026-11-26T12:00:04Z",
    },
}
_COUNTERSIGNED: Json = {
    "decisionId": DECISION_ID,
    "receiptNumber": "41",
    "licenseeId": "acme",
    "postsReceived": 2,
    "countersignedAt": "2026-11-26T12:05:00Z",
}
_CHECKPOINT: Json = {
    "size": "64",
    "root": "SBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7I=",
    "note": (
        "cGxhdGZvcm0uZXhhbXBsZS9yZWNlaXB0cwo2NApTQk5KVFJOK0ZqRzdvd0hWckt0dWU3ZXFkTTRSaGRSV1ZsNzFIWE4yZDdJ"
        "PQoK4oCUIHBsYXRmb3JtLmV4YW1wbGUvcmVjZWlwdHMgQUFFQ0F3QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB"
        "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQT0K"
    ),
    "publishedAt": "2026-11-26T12:00:01Z",
}
_HASHES = [
    "ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs=", "PiPoFgA5WUoziU9lZOGxNIu9egCI1CxKy3PurtWcAJ0=",
    "zIMh1jdcSU0EP90CYPIbwOxR2syfart/kJzc0wQbeL8=", "k2in0h4Bj2SuMyfS8lzU12k7LYUyjku2gLz8vUwmuQ4=",
    "gjQS0erLZ5ViIOUylZ8BBGAwV8iHBIY8o4580Yj9qBI=", "LHDhK3oGRvkiefQnx7OOczTY5Tic/xZ6HcMOc/gmtoM=",
]  # fmt: skip
_ISSUED: Json = {
    "recallId": RECALL_ID,
    "number": "7",
    "licenseeId": "acme",
    "state": "RECALL_STATE_ISSUED",
    "withdrawals": 1,
    "posts": "1",
    "issuedAt": "2026-11-29T08:30:00Z",
    "dueAt": "2026-12-14T08:30:00Z",
}
_ACKNOWLEDGED = {**_ISSUED, "state": "RECALL_STATE_ACKNOWLEDGED", "acknowledgedAt": "2026-11-29T09:00:00Z"}
_ATTESTED: Json = {
    "outcome": "RECALL_STATE_DELETED",
    "attestation": {
        "name": "Ada Example",
        "role": "data steward",
        "statement": "All copies of the post were deleted.",
    },
}
_RESOLVED: Json = {
    **_ACKNOWLEDGED,
    "state": "RECALL_STATE_DELETED",
    "resolution": {**_ATTESTED, "resolvedAt": "2026-12-01T10:00:00Z", "resolvedBy": "licensee acme"},
}
_OF_RECALL = {"recallId": RECALL_ID}
_OF_DECISION = {"decisionId": DECISION_ID}

EXCHANGES: dict[str, Exchange] = {
    "ReleaseService/RequestRelease": Exchange(
        parameters={"licenseId": "acme-training"},
        body={"requestId": REQUEST_ID, "purpose": "PURPOSE_AI_TRAINING_GENERATIVE", "postIds": _POSTS},
        answer={"decision": _DECIDED},
    ),
    "ReleaseService/GetDecision": Exchange(parameters=_OF_DECISION, answer={"decision": _LATER}),
    "DeliveryService/CountersignDelivery": Exchange(
        parameters=_OF_DECISION,
        body={"postsReceived": 2},
        answer={"countersignature": _COUNTERSIGNED},
    ),
    "DeliveryService/ListDeliveryDifferences": Exchange(
        parameters={"pageSize": 100},
        answer={
            "differences": [
                {
                    "countersignature": {**_COUNTERSIGNED, "postsReceived": 1},
                    "licenseId": "acme-training",
                    "postsReleased": 2,
                    "postsBilled": 2,
                    "confirmedAt": "2026-11-26T12:00:04Z",
                }
            ],
            "nextPageToken": "",
        },
    ),
    "LogService/GetCheckpoint": Exchange(answer={"checkpoint": _CHECKPOINT}),
    "LogService/GetInclusionProof": Exchange(
        parameters=_OF_DECISION,
        answer={
            "decisionId": DECISION_ID,
            "receiptNumber": "41",
            "treeSize": "64",
            "hashes": _HASHES,
            "checkpoint": _CHECKPOINT,
        },
    ),
    "LogService/GetConsistencyProof": Exchange(
        parameters={"first": "32", "second": "64"},
        answer={"first": "32", "second": "64", "hashes": _HASHES[:1], "checkpoint": _CHECKPOINT},
    ),
    "RecallService/ListRecalls": Exchange(
        parameters={"states": ["RECALL_STATE_ISSUED", "RECALL_STATE_OVERDUE"], "pageSize": 100},
        answer={"recalls": [_ISSUED], "nextPageToken": ""},
    ),
    "RecallService/GetRecall": Exchange(parameters=_OF_RECALL, answer={"recall": _RESOLVED}),
    "RecallService/ListRecallEntries": Exchange(
        parameters={**_OF_RECALL, "pageSize": 100},
        answer={
            "entries": [
                {
                    "withdrawalId": "01a2266c-9000-7000-8000-000000000005",
                    "releases": [{**_OF_DECISION, "licenseId": "acme-training", "postIds": "AGD0yfHTxRk="}],
                }
            ],
            "nextPageToken": "",
        },
    ),
    "RecallService/WatchRecalls": Exchange(
        parameters={"after": "6", "licenseeId": "acme"}, answer={"recall": _ISSUED, "number": "7"}
    ),
    "RecallService/AcknowledgeRecall": Exchange(parameters=_OF_RECALL, answer={"recall": _ACKNOWLEDGED}),
    "RecallService/ResolveRecall": Exchange(
        parameters=_OF_RECALL, body={"resolution": _ATTESTED}, answer={"recall": _RESOLVED}
    ),
}
"""By service and RPC."""
