"""A release service for tests of the gate: decides by a rule, remembers, signs receipts, fails on demand.

It is written from docs/receipt-format.md and shares no code with the verifier, nor with licensing.
"""

import asyncio
import base64
import contextlib
import hashlib
import json
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import grpc
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1.reason_pb2 import Reason, Verdict
from sluice.licensing.v1.release_service_pb2_grpc import (
    ReleaseServiceServicer,
    add_ReleaseServiceServicer_to_server,
)
from sluice.type.v1.purpose_pb2 import Purpose
from sluice_gate.client import LicensingClient
from tests.support.clock import NOON_US

SECOND_US = 1_000_000
PERMIT_US = 30 * SECOND_US
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))

_COARSE: dict[int, int] = {
    Reason.REASON_RELEASED: Verdict.VERDICT_RELEASED,
    Reason.REASON_CHOICE_DENIES: Verdict.VERDICT_NOT_AVAILABLE,
    Reason.REASON_CONTRIBUTOR_UNNAMED: Verdict.VERDICT_NOT_AVAILABLE,
    Reason.REASON_FAULT_ID: Verdict.VERDICT_NOT_COVERED,
    Reason.REASON_NO_ROOM: Verdict.VERDICT_NO_ROOM,
}


class GateClock:
    """Both clocks of a gate, and that of the service: they move when told to, or when somebody sleeps."""

    def __init__(self, now_us: int = NOON_US) -> None:
        self._now_us = now_us

    def now_us(self) -> int:
        """Microseconds since the epoch, UTC."""
        return self._now_us

    def elapsed_us(self) -> int:
        """Microseconds since an hour before noon."""
        return self._now_us - NOON_US + 3_600 * SECOND_US

    async def sleep_us(self, us: int) -> None:
        """Lets `us` microseconds go by at once."""
        self.advance(us)
        await asyncio.sleep(0)

    def advance(self, us: int) -> None:
        """Lets `us` microseconds go by."""
        self._now_us += us


@dataclass
class Failure:
    """An answer that is no decision."""

    code: grpc.StatusCode
    reason: str
    after_deciding: bool = False
    """The decision is made and stored; only its answer is lost."""


@dataclass
class Stored:
    """A decision and what became of it."""

    decision: pb.Decision
    request: pb.DecideRequest
    not_after_us: int
    delivered: bytes | None = None

    def ids(self, bitmap: bytes) -> list[int]:
        """The posts that a bitmap speaks of."""
        bits = np.unpackbits(np.frombuffer(bitmap, np.uint8), bitorder="little")
        ids = np.frombuffer(self.request.columns.ids, "<u8")
        return [int(id) for id in ids[bits[: len(ids)].astype(bool)]]

    def released(self) -> list[int]:
        """The posts that might go."""
        mask = np.frombuffer(self.decision.verdicts, np.uint8) == Verdict.VERDICT_RELEASED
        return [int(id) for id in np.frombuffer(self.request.columns.ids, "<u8")[mask]]


@dataclass
class FakeReleases(ReleaseServiceServicer):
    """Licensing, as a gate sees it."""

    clock: GateClock = field(default_factory=GateClock)
    denies: Callable[[int], bool] = lambda author: author % 2 == 0
    room: int | None = None
    """Posts that still fit; what is confirmed as undelivered fits again."""
    retry_after_us: int | None = 3_600 * SECOND_US
    never_fits: bool = False
    permit_us: int = PERMIT_US
    failures: list[Failure] = field(default_factory=list)
    """Answers to the next calls, one each."""
    on_decided: Callable[[Stored], None] = lambda stored: None
    stored: dict[str, Stored] = field(default_factory=dict)
    """By request id, in the order of their making."""
    tokens: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    waits_for: int = 0
    """The first decisions are made only when so many requests are in flight."""
    crowded: asyncio.Event = field(default_factory=asyncio.Event)
    most_at_once: int = 0
    at_once: int = 0
    DecideStream = ReleaseServiceServicer.DecideStream
    RequestRelease = ReleaseServiceServicer.RequestRelease
    GetReleasedPosts = ReleaseServiceServicer.GetReleasedPosts
    CheckAttempts = ReleaseServiceServicer.CheckAttempts
    ListDecisions = ReleaseServiceServicer.ListDecisions

    async def Decide(self, request: pb.DecideRequest, context: Any) -> pb.DecideResponse:  # noqa: N802
        self._note(context)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.at_once >= self.waits_for:
                self.crowded.set()
            await self.crowded.wait()
            failure = self.failures.pop(0) if self.failures else None
            if failure and not failure.after_deciding:
                await refuse(context, failure)
            decision = await self._decision(request, context)
            if failure:
                await refuse(context, failure)
            return pb.DecideResponse(decision=decision)
        finally:
            self.at_once -= 1

    async def ConfirmDelivery(  # noqa: N802
        self, request: pb.ConfirmDeliveryRequest, context: Any
    ) -> pb.ConfirmDeliveryResponse:
        self._note(context)
        if self.failures:
            await refuse(context, self.failures.pop(0))
        stored = next(one for one in self.stored.values() if one.decision.decision_id == request.decision_id)
        if stored.delivered is None:
            stored.delivered = request.delivered
            if self.room is not None:
                self.room += len(stored.released()) - len(stored.ids(request.delivered))
        elif stored.delivered != request.delivered:
            await refuse(context, Failure(grpc.StatusCode.FAILED_PRECONDITION, "CONFIRMED_OTHERWISE"))
        return pb.ConfirmDeliveryResponse()

    async def GetDecision(  # noqa: N802
        self, request: pb.GetDecisionRequest, context: Any
    ) -> pb.GetDecisionResponse:
        stored = next(one for one in self.stored.values() if one.decision.decision_id == request.decision_id)
        return pb.GetDecisionResponse(decision=stored.decision)

    def billed(self) -> Counter[int]:
        """How often each post is billed: what was confirmed, and in full what was not."""
        bills: Counter[int] = Counter()
        for stored in self.stored.values():
            bills.update(stored.released() if stored.delivered is None else stored.ids(stored.delivered))
        return bills

    def unconfirmed(self) -> list[str]:
        """Decisions that released something and were never confirmed."""
        return [id for id, stored in self.stored.items() if stored.released() and stored.delivered is None]

    async def _decision(self, request: pb.DecideRequest, context: Any) -> pb.Decision:
        replayed = request.request_id in self.stored
        if not replayed:
            self.stored[request.request_id] = stored = self.conclude(request)
            self.on_decided(stored)
        stored = self.stored[request.request_id]
        if stored.request != request:
            await refuse(context, Failure(grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED"))
        answer = pb.Decision()
        answer.CopyFrom(stored.decision)
        answer.replayed = replayed
        if stored.released():
            left_us = max(0, stored.not_after_us - self.clock.now_us())
            answer.valid_for.FromMicroseconds(left_us)
            answer.is_void = not left_us
            answer.delivery.state = (
                pb.DeliveryState.DELIVERY_STATE_OPEN
                if stored.delivered is None
                else pb.DeliveryState.DELIVERY_STATE_CONFIRMED
            )
        return answer

    def conclude(self, request: pb.DecideRequest) -> Stored:
        """Decides a request that was not asked before."""
        reasons = [self._reason(author, embeds) for author, embeds in _contributors(request.columns)]
        wanted = reasons.count(Reason.REASON_RELEASED)
        lacking = self.room is not None and wanted > self.room
        if lacking:
            released = Reason.REASON_RELEASED
            reasons = [Reason.REASON_NO_ROOM if reason == released else reason for reason in reasons]
        elif self.room is not None:
            self.room -= wanted
        not_after_us = self.clock.now_us() + self.permit_us
        decision = self._signed(request, reasons, not_after_us)
        if lacking:
            denial = pb.RoomDenial(allowance="license, rolling day", limit=1, never_fits=self.never_fits)
            if self.retry_after_us is not None and not self.never_fits:
                denial.retry_at.FromMicroseconds(self.clock.now_us() + self.retry_after_us)
            decision.room_denial.CopyFrom(denial)
        return Stored(decision, pb.DecideRequest.FromString(request.SerializeToString()), not_after_us)

    def _reason(self, author: int, embeds: list[tuple[int, int]]) -> int:
        if any(id == 0 for id, _ in embeds):
            return Reason.REASON_FAULT_ID
        contributors = [author, *(embedded for _, embedded in embeds)]
        if 0 in contributors:
            return Reason.REASON_CONTRIBUTOR_UNNAMED
        denied = any(self.denies(contributor) for contributor in contributors)
        return Reason.REASON_CHOICE_DENIES if denied else Reason.REASON_RELEASED

    def _signed(self, request: pb.DecideRequest, reasons: list[int], not_after_us: int) -> pb.Decision:
        number = len(self.stored) + 1
        verdicts = bytes(_COARSE[reason] for reason in reasons)
        salt = hashlib.sha256(f"salt {number}".encode()).digest()
        claims = _claims(request, verdicts, salt, number, (self.clock.now_us(), not_after_us))
        decision = pb.Decision(
            decision_id=claims["decision_id"],
            request_id=request.request_id,
            license_id=request.license_id,
            license_version=1,
            outcome=f"OUTCOME_{claims['outcome']}",
            verdicts=verdicts,
            reasons=bytes(reasons),
            receipt=sign(claims),
            receipt_number=number,
            salt=salt,
        )
        decision.decided_at.FromMicroseconds(self.clock.now_us())
        return decision

    def _note(self, context: Any) -> None:
        self.headers.append({key: str(value) for key, value in context.invocation_metadata()})
        self.tokens.append(self.headers[-1].get("authorization", ""))


async def refuse(context: Any, failure: Failure) -> None:
    """Ends a call with a status as the services give it."""
    detail = AnyMessage()
    detail.Pack(error_details_pb2.ErrorInfo(domain="sluice", reason=failure.reason))
    status = status_pb2.Status(code=failure.code.value[0], message="refused by the test", details=[detail])
    await context.abort_with_status(rpc_status.to_status(status))


@contextlib.asynccontextmanager
async def licensing(
    fake: FakeReleases, token: Callable[[], str] = lambda: "a-token"
) -> AsyncIterator[LicensingClient]:
    """A client of `fake`, over a real connection."""
    server = grpc.aio.server()
    add_ReleaseServiceServicer_to_server(fake, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    client = LicensingClient(f"127.0.0.1:{port}", token)
    try:
        yield client
    finally:
        await client.close()
        await server.stop(None)


def jwks() -> bytes:
    """The published key of the fake."""
    return json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": _public(), "kid": _kid()}]}).encode()


def sign(claims: dict[str, Any]) -> str:
    """A receipt over any claims."""
    header = {"alg": "EdDSA", "kid": _kid(), "typ": "sluice-receipt+json"}
    signed = f"{base64url(canonical(header))}.{base64url(canonical(claims))}"
    return f"{signed}.{base64url(KEY.sign(signed.encode()))}"


def canonical(value: object) -> bytes:
    """JSON in the one form of receipts."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def base64url(data: bytes) -> str:
    """Without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _public() -> str:
    return base64url(KEY.public_key().public_bytes_raw())


def _kid() -> str:
    return base64url(hashlib.sha256(canonical({"crv": "Ed25519", "kty": "OKP", "x": _public()})).digest())


def _contributors(columns: Any) -> Iterable[tuple[int, list[tuple[int, int]]]]:
    authors = np.frombuffer(columns.author_ids, "<u8").tolist()
    offsets = np.frombuffer(columns.embed_offsets, "<u4").tolist()
    ids = np.frombuffer(columns.embed_ids, "<u8").tolist()
    embedded = np.frombuffer(columns.embed_author_ids, "<u8").tolist()
    for post, author in enumerate(authors):
        here = slice(offsets[post], offsets[post + 1])
        yield author, list(zip(ids[here], embedded[here], strict=True))


def _claims(
    request: pb.DecideRequest, verdicts: bytes, salt: bytes, number: int, times_us: tuple[int, int]
) -> dict[str, Any]:
    columns, (now_us, not_after_us) = request.columns, times_us
    parts = (
        request.license_id.encode(), struct.pack("<I", request.purpose), columns.ids, columns.author_ids,
        columns.kinds, columns.media_flags, columns.posted_at_us, "\n".join(columns.languages).encode(),
        columns.language_indexes, columns.embed_offsets, columns.embed_ids, columns.embed_author_ids,
    )  # fmt: skip
    asked = b"".join(_block(part) for part in parts)
    released = verdicts.count(Verdict.VERDICT_RELEASED)
    leaves = _leaves(columns, verdicts, salt)
    counts = Counter(Verdict.Name(verdict).removeprefix("VERDICT_") for verdict in verdicts)
    return {
        "v": 1,
        "decision_id": f"01999999-0000-7000-8000-{number:012x}",
        "number": number,
        "principal_kind": "pipeline",
        "principal": "exports",
        "request_id": request.request_id,
        "licensee_id": "acme",
        "license_id": request.license_id,
        "license_version": 1,
        "terms_digest": "ab" * 32,
        "purpose": Purpose.Name(request.purpose).removeprefix("PURPOSE_").lower(),
        "outcome": "RELEASED" if released == len(verdicts) else "PARTIAL" if released else "DENIED",
        "policy_version": 1,
        "consent_epoch": 1,
        "consent_revision": 7,
        "reservation_id": "01999999-0000-7000-8000-000000000000" if released else None,
        "counted_at": _time(now_us) if released else None,
        "counts": dict(counts),
        "request_digest": _salted(salt, b"sluice/request/v1", asked),
        "resolved_digest": _salted(salt, b"sluice/resolved/v1", asked + _block(verdicts)),
        "manifest_root": _root([hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves]).hex(),
        "manifest_leaves": len(leaves),
        "decided_at": _time(now_us),
        "not_after": _time(not_after_us) if released else None,
        "trace_id": None,
    }


def _leaves(columns: Any, verdicts: bytes, salt: bytes) -> list[bytes]:
    ids = np.frombuffer(columns.ids, "<u8").tolist()
    posts_of: dict[int, set[int]] = {}
    for post, (author, embeds) in enumerate(_contributors(columns)):
        if verdicts[post] == Verdict.VERDICT_RELEASED:
            for contributor in {author, *(embedded for _, embedded in embeds)}:
                posts_of.setdefault(contributor, set()).add(ids[post])
    leaves = []
    for contributor, posts in posts_of.items():
        name = struct.pack(">Q", contributor)
        leaf_salt = hashlib.sha256(salt + b"sluice/leaf/v1" + name).digest()[:16]
        listed = struct.pack(f">{len(posts)}Q", *sorted(posts))
        leaves.append(leaf_salt + name + struct.pack(">I", len(posts)) + listed)
    return sorted(leaves, key=lambda leaf: hashlib.sha256(b"\x00" + leaf).digest())


def _root(hashes: list[bytes]) -> bytes:
    """By levels: a lone last node moves up unchanged, which is the tree of RFC 6962."""
    if not hashes:
        return hashlib.sha256().digest()
    while len(hashes) > 1:
        pairs = [hashes[i : i + 2] for i in range(0, len(hashes), 2)]
        hashes = [
            hashlib.sha256(b"\x01" + b"".join(pair)).digest() if pair[1:] else pair[0] for pair in pairs
        ]
    return hashes[0]


def _block(content: bytes) -> bytes:
    return struct.pack("<Q", len(content)) + content


def _salted(salt: bytes, label: bytes, content: bytes) -> str:
    return hashlib.sha256(hashlib.sha256(salt + label).digest() + content).hexdigest()


def _time(us: int) -> str:
    return str(np.datetime64(us, "us")) + "Z"
