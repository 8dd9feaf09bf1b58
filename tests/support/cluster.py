"""The three services in one process: real gRPC between them, real databases, one clock turned by hand."""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.action_rows import SqlActions
from services.chassis.database import Database
from services.chassis.dialing import Peer
from services.chassis.identity import PrincipalKind
from services.chassis.ids import uuid7
from services.consent.rpc import actions as action_log
from services.consent.rpc.admissions import ADMISSIONS as CONSENT_ADMISSIONS
from services.consent.storage.dossiers import is_erased
from services.consent.storage.tables import ACTIONS
from services.licensing.assembly import Licensing, admitting, assemble, contracting
from services.licensing.finisher import Finisher
from services.licensing.outbox import Outbox
from services.licensing.publishing import Publisher
from services.licensing.rpc.admissions import ADMISSIONS as LICENSING_ADMISSIONS
from services.licensing.settings import LicensingSettings
from services.licensing.sweeper import Sweeper
from sluice.consent.v1 import (
    choice_pb2,
    consent_service_pb2,
    policy_pb2,
    state_change_pb2,
    state_service_pb2,
    subject_pb2,
)
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from sluice.consent.v1.state_service_pb2_grpc import StateServiceStub
from sluice.licensing.v1 import (
    audit_service_pb2,
    contract_service_pb2,
    license_pb2,
    post_pb2,
    release_service_pb2,
)
from sluice.licensing.v1.audit_service_pb2_grpc import AuditServiceStub
from sluice.licensing.v1.contract_service_pb2_grpc import ContractServiceStub
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub
from sluice.metering.v1 import metering_service_pb2
from sluice.metering.v1.metering_service_pb2_grpc import MeteringServiceStub
from sluice.type.v1 import content_pb2, purpose_pb2, window_pb2
from tests.support.clock import ManualClock
from tests.support.consent import consent_database_at
from tests.support.consent_server import a_replica
from tests.support.grpc import LocalServer, serving
from tests.support.keys import a_verifier, some_keys
from tests.support.licensing import licensing_database_at
from tests.support.metering_server import a_metering_server
from tests.support.requests import Requests

TRAINING = purpose_pb2.PURPOSE_AI_TRAINING_GENERATIVE
SHARING = purpose_pb2.PURPOSE_THIRD_PARTY_SHARING
NOTICE = b"n" * 32
SECOND_US = 1_000_000
PERMIT_US = 30 * SECOND_US
DAY_US = 86_400 * SECOND_US

Task = TypeVar("Task")


def a_post(id: int, author_id: int, *embeds: tuple[int, int], **fields: Any) -> post_pb2.Post:
    """A post in the friendly form, an ordinary English one unless `fields` say otherwise."""
    defaults = {
        "kind": content_pb2.CONTENT_KIND_POST,
        "language": "en",
        "posted_at": Timestamp(seconds=1_600_000_000),
    }
    embedded = [post_pb2.Embed(id=embed_id, author_id=embed_author) for embed_id, embed_author in embeds]
    return post_pb2.Post(id=id, author_id=author_id, embeds=embedded, **{**defaults, **fields})


def some_terms(limit: int | None = None, **fields: Any) -> license_pb2.LicenseTerms:
    """Terms that cover everything for training, with at most `limit` posts in any 24 hours."""
    terms: dict[str, Any] = {
        "licensee_id": "acme",
        "template": license_pb2.LICENSE_TEMPLATE_COMMERCIAL,
        "purposes": [TRAINING],
        "kinds": [1, 2, 3, 4],
        "languages": ["*"],
        "author_jurisdictions": ["*"],
        "territory": ["*"],
        "term_from": Timestamp(seconds=0),
        "term_until": Timestamp(seconds=4_000_000_000),
        "obligations": license_pb2.Obligations(recall_deadline_days=30),
        "contract_digest": bytes(32),
    }
    if limit is not None:
        allowance = license_pb2.LicenseAllowance(
            per=license_pb2.ALLOWANCE_SUBJECT_LICENSE, window=window_pb2.WINDOW_ROLLING_DAY, limit=limit
        )
        terms["allowances"] = [allowance]
    return license_pb2.LicenseTerms(**{**terms, **fields})


class Cluster(Requests):
    """What a test does to the three services, as the callers of each would."""

    def __init__(self, clock: ManualClock, consent: LocalServer, metering: LocalServer) -> None:
        self.clock = clock
        self._operator_of_consent = consent.peer(PrincipalKind.OPERATOR, "ada", ["admin"])
        self._reader_of_metering = metering.peer(PrincipalKind.SERVICE, "licensing")
        self.consent_address, self.metering_address = consent.address, metering.address
        self.metering = metering
        self._licensees: set[Database] = set()
        """Those of licensing that know the licensee."""

    def serve_licensing(self, server: LocalServer, licensing: Licensing, database: Database) -> None:
        """Names the licensing that is asked from now on."""
        self.database = database
        self.licensing = server
        self._pipeline = server.peer(PrincipalKind.PIPELINE, "firehose")
        self._operator = server.peer(PrincipalKind.OPERATOR, "ada", ["admin"])
        self._background = licensing.background
        self.outbox, self.sweeper = self.task(Outbox), self.task(Sweeper)
        self.finisher, self.publisher = self.task(Finisher), self.task(Publisher)

    def task(self, kind: type[Task]) -> Task:
        """The background task of this kind, which runs only when told to."""
        return next(task for task in self._background if isinstance(task, kind))

    def new_id(self) -> str:
        """A fresh request id."""
        return uuid7(self.clock.now_us())

    async def publish_policy(self, regime: int = policy_pb2.REGIME_OPT_OUT, in_us: int = 0) -> None:
        """A policy, in effect after `in_us`, for training and sharing in the US and in Germany."""
        rules = [
            policy_pb2.PolicyRule(jurisdiction=jurisdiction, purpose=purpose, regime=regime)  # type: ignore[arg-type]
            for jurisdiction in ("US", "DE")
            for purpose in (SHARING, TRAINING)
        ]
        policy = policy_pb2.Policy(text_digest=b"t" * 32, rules=rules, notice_digests=[NOTICE])
        policy.effective_at.FromMicroseconds(self.clock.now_us() + in_us)
        await self.publish(policy)

    async def publish(self, policy: policy_pb2.Policy) -> None:
        """Any policy."""
        request = consent_service_pb2.PublishPolicyRequest(request_id=self.new_id(), policy=policy)
        await self._consent("PublishPolicy", request)

    async def know(self, *subject_ids: int, **fields: Any) -> None:
        """Ordinary subjects in the US who were served the notice."""
        rows = [
            consent_service_pb2.ImportSubjectsRequest.Row(
                line=line,
                subject=subject_pb2.Subject(
                    subject_id=subject_id, **{"jurisdiction": "US", "notice_digests": [NOTICE], **fields}
                ),
            )
            for line, subject_id in enumerate(subject_ids, 1)
        ]
        request = consent_service_pb2.ImportSubjectsRequest(request_id=self.new_id(), rows=rows)
        response = await self._consent("ImportSubjects", request)
        assert not response.rejected

    async def opt_out(self, *subject_ids: int) -> None:
        """Subjects deny everyone everything; returns when that is durable."""
        for subject_id in subject_ids:
            await self._opt_out(subject_id)

    async def opt_in(self, subject_id: int) -> None:
        """A subject allows everyone everything, a moment later than whatever came before."""
        self.clock.advance(1)
        choice = choice_pb2.Choice(
            subject_id=subject_id,
            stance=choice_pb2.STANCE_ALLOW,
            everyone=True,
            all_purposes=True,
            notice_digest=NOTICE,
        )
        request = consent_service_pb2.RecordChoiceRequest(request_id=self.new_id(), choice=choice)
        await self._consent("RecordChoice", request)

    async def _opt_out(self, subject_id: int) -> None:
        choice = choice_pb2.Choice(
            subject_id=subject_id, stance=choice_pb2.STANCE_DENY, everyone=True, all_purposes=True
        )
        request = consent_service_pb2.RecordChoiceRequest(request_id=self.new_id(), choice=choice)
        await self._consent("RecordChoice", request)

    async def license(
        self, license_id: str = "acme-training", limit: int | None = None, **fields: Any
    ) -> None:
        """An active license with `some_terms`."""
        licensee = license_pb2.Licensee(licensee_id="acme", display_name="Acme")
        if self.database not in self._licensees:
            await self.contracts(
                "CreateLicensee",
                contract_service_pb2.CreateLicenseeRequest(request_id=self.new_id(), licensee=licensee),
            )
            self._licensees.add(self.database)
        created = await self.contracts(
            "CreateLicense",
            contract_service_pb2.CreateLicenseRequest(
                request_id=self.new_id(), license_id=license_id, terms=some_terms(limit, **fields)
            ),
        )
        await self.activate(created.license)

    async def activate(self, license: license_pb2.License, at_us: int | None = None) -> license_pb2.License:
        """Puts into force what is drafted; at once, unless a time is said."""
        drafted = license.next if license.HasField("next") else license
        request = contract_service_pb2.ActivateLicenseRequest(
            request_id=self.new_id(),
            license_id=license.license_id,
            version=drafted.version,
            terms_digest=drafted.terms_digest,
        )
        if at_us is not None:
            request.effective_at.FromMicroseconds(at_us)
        answer: license_pb2.License = (await self.contracts("ActivateLicense", request)).license
        return answer

    async def amend(
        self,
        limit: int | None = None,
        license_id: str = "acme-training",
        at_us: int | None = None,
        **fields: Any,
    ) -> license_pb2.License:
        """Puts other terms of `some_terms` into force; at once, unless a time is said."""
        get = contract_service_pb2.GetLicenseRequest(license_id=license_id)
        request = contract_service_pb2.AmendLicenseRequest(
            request_id=self.new_id(),
            license_id=license_id,
            base_digest=(await self.contracts("GetLicense", get)).license.terms_digest,
            terms=some_terms(limit, **fields),
        )
        return await self.activate((await self.contracts("AmendLicense", request)).license, at_us)

    async def suspend(self, license_id: str = "acme-training") -> None:
        """Stops a license."""
        request = contract_service_pb2.SuspendLicenseRequest(request_id=self.new_id(), license_id=license_id)
        await self.contracts("SuspendLicense", request)

    async def decide(
        self, posts: Sequence[post_pb2.Post] = (), request_id: str | None = None, **fields: Any
    ) -> release_service_pb2.Decision:
        """Asks for a decision as the pipeline does."""
        batch = {} if "columns" in fields else {"posts": post_pb2.PostList(posts=posts)}
        request = release_service_pb2.DecideRequest(
            **{
                "request_id": request_id or self.new_id(),
                "license_id": "acme-training",
                "purpose": TRAINING,
                **batch,
                **fields,
            }
        )
        response = await self._pipeline.call(ReleaseServiceStub(self._pipeline.channel).Decide, request)
        return response.decision

    async def confirm(self, decision_id: str, delivered: bytes) -> release_service_pb2.Delivery:
        """Confirms a delivery as the pipeline does."""
        request = release_service_pb2.ConfirmDeliveryRequest(decision_id=decision_id, delivered=delivered)
        stub = ReleaseServiceStub(self._pipeline.channel)
        return (await self._pipeline.call(stub.ConfirmDelivery, request)).delivery

    async def decision(self, decision_id: str) -> release_service_pb2.Decision:
        """A decision as an operator reads it."""
        request = release_service_pb2.GetDecisionRequest(decision_id=decision_id)
        response = await self._operator.call(ReleaseServiceStub(self._operator.channel).GetDecision, request)
        return response.decision

    async def reservation(self, reservation_id: str) -> metering_service_pb2.Reservation:
        """A reservation as metering has it."""
        peer = self._reader_of_metering
        request = metering_service_pb2.GetReservationRequest(reservation_id=reservation_id)
        response = await peer.call(MeteringServiceStub(peer.channel).GetReservation, request)
        return response.reservation

    async def holds(self) -> list[str]:
        """Ids of what is still held."""
        peer = self._reader_of_metering
        request = metering_service_pb2.ListHoldsRequest(page_size=1000)
        response = await peer.call(MeteringServiceStub(peer.channel).ListHolds, request)
        return [hold.reservation_id for hold in response.holds]

    async def audit(self, after: int = 0) -> list[audit_service_pb2.AuditLedgerResponse]:
        """What each check of the ledger came to, of decisions after a number, as an operator hears it."""
        stub = AuditServiceStub(self._operator.channel)
        request = audit_service_pb2.AuditLedgerRequest(after_number=after)
        async with self._operator.open(stub.AuditLedger, request) as steps:
            return [step async for step in steps if step.step == audit_service_pb2.LEDGER_AUDIT_STEP_DONE]

    async def in_metering(self, stub: Callable[[grpc.aio.Channel], Any], method: str, request: Any) -> Any:
        """Calls metering as licensing does."""
        peer = self._reader_of_metering
        return await peer.call(getattr(stub(peer.channel), method), request)

    async def contracts(self, method: str, request: Any) -> Any:
        """Calls the contracts desk as an operator."""
        return await self._operator.call(
            getattr(ContractServiceStub(self._operator.channel), method), request
        )

    async def states(self, method: str, request: Any) -> Any:
        """Calls consent's keeper of states and halts as an operator."""
        peer = self._operator_of_consent
        return await peer.call(getattr(StateServiceStub(peer.channel), method), request)

    async def change_state(self, change: state_change_pb2.StateChange) -> None:
        """A subject or a post is not any more what it was; returns when that is durable."""
        peer, row = (
            self._operator_of_consent,
            state_service_pb2.RecordStatesRequest.Row(line=1, change=change),
        )
        page = state_service_pb2.RecordStatesRequest(request_id=self.new_id(), rows=[row])
        async with peer.open(StateServiceStub(peer.channel).RecordStates) as stream:
            await stream.send(page)
            assert (await stream.receive()).accepted == 1

    async def _consent(self, method: str, request: Any) -> Any:
        peer = self._operator_of_consent
        return await peer.call(getattr(ConsentServiceStub(peer.channel), method), request)


@contextlib.asynccontextmanager
async def a_cluster(
    folder: Path,
    clock: ManualClock | None = None,
    urls: Mapping[str, str] | None = None,
    **changes: Any,
) -> AsyncIterator[Cluster]:
    """The three services; background tasks of licensing run only when told to.

    `urls` of their databases, by service; by default files in `folder`. `changes` are settings of licensing.
    """
    clock = clock or ManualClock()
    urls = urls or {name: f"sqlite:///{folder}/{name}.db" for name in ("consent", "metering", "licensing")}
    async with contextlib.AsyncExitStack() as stack:
        consent = await stack.enter_async_context(_consent(folder, clock, urls["consent"]))
        metering = await stack.enter_async_context(a_metering_server(folder, clock, urls["metering"]))
        cluster = Cluster(clock, consent, metering)
        await stack.enter_async_context(licensing_of(cluster, folder, urls["licensing"], **changes))
        yield cluster


@contextlib.asynccontextmanager
async def licensing_of(cluster: Cluster, folder: Path, url: str, **changes: Any) -> AsyncIterator[None]:
    """Licensing, asked by the cluster's calls from now on; `changes` are settings."""
    database = licensing_database_at(url)
    keys = some_keys(folder)
    settings = LicensingSettings(
        database_url=url,
        token_jwks=keys.token_jwks,
        state_dir=folder,
        **{
            "log_dir": folder / "log",
            "consent_target": cluster.consent_address,
            "metering_target": cluster.metering_address,
            **changes,
        },
    )
    # The clocks of the database's server and of the machine are the one that is turned by hand, too.
    of_server = patch.object(contracting, "server_now_us", lambda connection: cluster.clock.now_us())
    of_wall = patch.object(admitting, "monotonic", lambda: cluster.clock.now_us() / SECOND_US)
    with of_server, of_wall:
        licensing = assemble(settings, cluster.clock, keys, database, a_verifier(keys, cluster.clock))
    for check in licensing.checks:
        await check()
    async with serving(
        folder,
        *licensing.bolts,
        admissions=LICENSING_ADMISSIONS,
        clock=cluster.clock,
        actions=licensing.actions,
    ) as server:
        cluster.serve_licensing(server, licensing, database)
        yield
    await _close(database, *licensing.peers)


@contextlib.asynccontextmanager
async def _consent(folder: Path, clock: ManualClock, url: str) -> AsyncIterator[LocalServer]:
    database = consent_database_at(url)
    replica, actions = a_replica(database, clock), SqlActions(database, ACTIONS, clock, is_erased)
    await replica.registrar.follow()
    bolts = (*replica.bolts, action_log.bolt(actions))
    async with serving(folder, *bolts, admissions=CONSENT_ADMISSIONS, clock=clock, actions=actions) as server:
        yield server
    await _close(database)


async def _close(database: Database, *peers: Peer) -> None:
    for peer in peers:
        await peer.close()
    await database.close()
