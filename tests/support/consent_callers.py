"""A running consent and its callers over real gRPC, and the requests that they send."""

import contextlib
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.action_rows import SqlActions
from services.chassis.database import Database
from services.chassis.dialing import Stream
from services.chassis.identity import PrincipalKind
from services.chassis.ids import uuid7
from services.consent.domain.dossiers import Controller
from services.consent.rpc.actions import bolt
from services.consent.rpc.admissions import ADMISSIONS
from services.consent.storage.dossiers import is_erased
from services.consent.storage.tables import ACTIONS
from sluice.consent.v1 import choice_pb2, policy_pb2, reason_pb2, state_change_pb2, subject_pb2
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.consent.v1 import state_service_pb2 as state_pb
from sluice.consent.v1.action_service_pb2_grpc import ActionServiceStub
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from sluice.consent.v1.state_service_pb2_grpc import StateServiceStub
from sluice.consent.v1.subject_service_pb2_grpc import SubjectServiceStub
from sluice.type.v1 import purpose_pb2
from tests.support.clock import ManualClock
from tests.support.consent import FIRST_EMBED, NOTICE, consent_database
from tests.support.consent_server import Replica, a_replica
from tests.support.grpc import SOMEBODY, LocalServer, serving

TRAINING = purpose_pb2.PURPOSE_AI_TRAINING_GENERATIVE
STUBS: Sequence[Any] = (ConsentServiceStub, StateServiceStub, SubjectServiceStub, ActionServiceStub)


class Caller:
    """Calls consent as one principal."""

    def __init__(
        self,
        server: LocalServer,
        clock: ManualClock,
        kind: PrincipalKind,
        party: str,
        roles: Sequence[str] = (),
        *,
        subjects: Sequence[int] = SOMEBODY,
    ) -> None:
        self._peer = server.peer(kind, party, roles, subjects)
        self._clock = clock

    async def call(self, method: str, request: Any) -> Any:
        """The answer; raises Refusal."""
        return await self._peer.call(self._method(method), request)

    async def write(self, method: str, request: Any) -> Any:
        """Under a fresh request id unless the request has one."""
        return await self.call(method, self.named(request))

    async def pages(self, method: str, *pages: Any) -> list[Any]:
        """Sends each page when the one before it was answered; raises Refusal."""
        async with self._peer.open(self._method(method)) as stream:
            answers = []
            for page in pages:
                await stream.send(self.named(page))
                answers.append(await stream.receive())
            await stream.finish()
        return answers

    def following(self, method: str, request: Any) -> AbstractAsyncContextManager[Stream[Any, Any]]:
        """A stream of answers, until the context is left; raises Refusal."""
        return self._peer.open(self._method(method), request)

    async def whole(self, method: str, request: Any) -> list[Any]:
        """All answers of a stream that ends; raises Refusal."""
        async with self.following(method, request) as stream:
            return [answer async for answer in stream]

    def named(self, request: Any) -> Any:
        """With a fresh request id unless it has one."""
        request.request_id = request.request_id or uuid7(self._clock.now_us())
        return request

    def _method(self, name: str) -> Any:
        stubs: list[Any] = [make(self._peer.channel) for make in STUBS]
        (method,) = [getattr(stub, name) for stub in stubs if hasattr(stub, name)]
        return method


class Consent:
    """A running service and its callers."""

    def __init__(self, server: LocalServer, clock: ManualClock, replica: Replica) -> None:
        self._server = server
        self.clock = clock
        self.replica = replica
        self.licensing = self.caller(PrincipalKind.SERVICE, "licensing")
        self.operator = self.caller(PrincipalKind.OPERATOR, "ada", ["trust", "legal"])
        self.pipeline = self.caller(PrincipalKind.PIPELINE, "export")

    @property
    def address(self) -> str:
        """host:port."""
        return self._server.address

    def token(self, kind: PrincipalKind, party: str) -> str:
        """A token of such a principal."""
        return self._server.token(kind, party)

    def caller(self, kind: PrincipalKind, party: str, roles: Sequence[str] = ()) -> Caller:
        """Of any kind."""
        return Caller(self._server, self.clock, kind, party, roles)

    def subject(self, subject_id: int) -> Caller:
        """A user of the platform."""
        return self.caller(PrincipalKind.SUBJECT, str(subject_id))

    def agent(self, party: str, *subject_ids: int) -> Caller:
        """Who acts for these subjects."""
        return Caller(self._server, self.clock, PrincipalKind.AGENT, party, subjects=subject_ids)

    async def drain(self) -> None:
        """Returns when everything that runs has ended by itself."""
        await self._server.drain()

    async def put_in_force(self, *subject_ids: int) -> None:
        """A policy that is in effect now, and ordinary subjects in the US."""
        if subject_ids:
            await self.pipeline.write("ImportSubjects", subject_rows(*subject_ids))
        request = pb.PublishPolicyRequest(policy=a_policy(self.clock.now_us()))
        await self.operator.write("PublishPolicy", request)

    async def check(self, *posts: tuple[int, ...], **fields: Any) -> pb.CheckConsentResponse:
        """Asks as licensing does, for posts given as (author, authors of embeds ...)."""
        response = await self.licensing.call("CheckConsent", a_check(*posts, **fields))
        assert isinstance(response, pb.CheckConsentResponse)
        return response

    async def reasons(self, *posts: tuple[int, ...], **fields: Any) -> list[str]:
        """As people read them."""
        response = await self.check(*posts, **fields)
        return [reason_name(reason) for reason in response.reasons]

    async def choose(self, choice: choice_pb2.Choice) -> pb.RecordChoiceResponse:
        """An operator records a choice."""
        response = await self.operator.write("RecordChoice", pb.RecordChoiceRequest(choice=choice))
        assert isinstance(response, pb.RecordChoiceResponse)
        return response


@contextlib.asynccontextmanager
async def running(
    folder: Path,
    clock: ManualClock,
    database: Database | None = None,
    controller: Controller | None = None,
) -> AsyncIterator[Consent]:
    """The service over a database, or one in `folder`."""
    opened = consent_database(folder) if database is None else database
    replica = a_replica(opened, clock, controller)
    await replica.registrar.follow()
    actions = SqlActions(opened, ACTIONS, clock, is_erased)
    bolts = (*replica.bolts, bolt(actions))
    async with serving(folder, *bolts, admissions=ADMISSIONS, clock=clock, actions=actions) as server:
        yield Consent(server, clock, replica)
    await opened.close()


def reason_name(reason: int) -> str:
    """A reason as people read it."""
    return reason_pb2.ConsentReason.Name(reason).removeprefix("CONSENT_REASON_")


def ids(values: Sequence[int]) -> bytes:
    """A column."""
    return struct.pack(f"<{len(values)}Q", *values)


def timestamp(time_us: int) -> Timestamp:
    """A time in microseconds UTC."""
    message = Timestamp()
    message.FromMicroseconds(time_us)
    return message


def a_check(*posts: tuple[int, ...], **fields: Any) -> pb.CheckConsentRequest:
    """Posts as (author, authors of embeds ...), for training at acme, everywhere, unless said."""
    embeds = [embed for post in posts for embed in post[1:]]
    offsets = [sum(len(post) - 1 for post in posts[:end]) for end in range(len(posts) + 1)]
    columns: dict[str, Any] = {
        "licensee_id": "acme",
        "purpose": TRAINING,
        "post_ids": ids(range(1, len(posts) + 1)),
        "author_ids": ids([post[0] for post in posts]),
        "embed_offsets": struct.pack(f"<{len(offsets)}I", *offsets),
        "embed_ids": ids(range(FIRST_EMBED, FIRST_EMBED + len(embeds))),
        "embed_author_ids": ids(embeds),
        "author_jurisdictions": ["*"],
    }
    return pb.CheckConsentRequest(**(columns | fields))


def a_policy(at_us: int, regime: "policy_pb2.Regime" = policy_pb2.REGIME_OPT_OUT) -> policy_pb2.Policy:
    """Training and sharing in the US, in effect from a time on."""
    rules = [
        policy_pb2.PolicyRule(jurisdiction="US", purpose=purpose, regime=regime)
        for purpose in (TRAINING, purpose_pb2.PURPOSE_THIRD_PARTY_SHARING)
    ]
    return policy_pb2.Policy(
        effective_at=timestamp(at_us), text_digest=b"t" * 32, rules=rules, notice_digests=[NOTICE]
    )


def a_deny(subject_id: int, **fields: Any) -> choice_pb2.Choice:
    """For everyone and everything, unless said."""
    scope: dict[str, Any] = {"everyone": True, "all_purposes": True}
    if "licensee_id" in fields:
        del scope["everyone"]
    if "purpose" in fields:
        del scope["all_purposes"]
    return choice_pb2.Choice(subject_id=subject_id, **({"stance": choice_pb2.STANCE_DENY} | scope | fields))


def an_allow(subject_id: int, **fields: Any) -> choice_pb2.Choice:
    """For everyone and everything, unless said."""
    return a_deny(subject_id, **({"stance": choice_pb2.STANCE_ALLOW, "notice_digest": NOTICE} | fields))


def subject_rows(*subject_ids: int, **fields: Any) -> pb.ImportSubjectsRequest:
    """Ordinary subjects in the US who were served the notice, unless said."""
    facts: dict[str, Any] = {"jurisdiction": "US", "notice_digests": [NOTICE]} | fields
    return pb.ImportSubjectsRequest(
        rows=[
            pb.ImportSubjectsRequest.Row(line=line, subject=subject_pb2.Subject(subject_id=who, **facts))
            for line, who in enumerate(subject_ids, 1)
        ]
    )


def choice_rows(*choices: choice_pb2.Choice) -> pb.RecordChoicesRequest:
    """A page of an import."""
    rows = [pb.RecordChoicesRequest.Row(line=line, choice=choice) for line, choice in enumerate(choices, 1)]
    return pb.RecordChoicesRequest(rows=rows)


def state_rows(*changes: state_change_pb2.StateChange) -> state_pb.RecordStatesRequest:
    """A page of a compliance stream."""
    rows = [state_pb.RecordStatesRequest.Row(line=line, change=each) for line, each in enumerate(changes, 1)]
    return state_pb.RecordStatesRequest(rows=rows)
