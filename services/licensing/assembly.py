"""Bolts the parts of licensing together: what each service of it is made of. Nothing runs yet."""

import functools
import secrets
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.dialing import Peer
from services.chassis.identity import PrincipalKind
from services.chassis.ids import uuid7
from services.chassis.jwks import Jwks
from services.chassis.keys import Keys
from services.chassis.minting import TokenMinter
from services.chassis.refusals import Behind
from services.chassis.serving import BackgroundTask, Bolt
from services.licensing.accepting import Acceptance
from services.licensing.affiliates import AffiliateDesk
from services.licensing.announcing import Announcer
from services.licensing.api_keys import KeyDesk
from services.licensing.auditing import Auditor
from services.licensing.billing import BillingDesk
from services.licensing.business_days import is_business_day
from services.licensing.contracts import ContractDesk
from services.licensing.countersigning import Countersigning
from services.licensing.desk import Chance, ReleaseDesk
from services.licensing.domain.api_keys import KEY_ID_BYTES, SECRET_BYTES, NewKey, new_key
from services.licensing.domain.recalls.backlog import Backlog
from services.licensing.domain.webhooks.signatures import WEBHOOK_SECRET_BYTES
from services.licensing.explaining import Explainer
from services.licensing.finisher import Finisher
from services.licensing.following import FenceMover, Follower
from services.licensing.forgetting import Forgetting
from services.licensing.highest import Highest, begin_with
from services.licensing.indexing import Indexing
from services.licensing.issuing import Issuer, Pace, Standing
from services.licensing.ledger import Ledger
from services.licensing.manifest_proofs import ManifestProver
from services.licensing.metrics import (
    PEER_BEHIND,
    RECALLS_COLLECTING,
    RECALLS_OVERDUE,
    RECHECKS_OPEN,
    UNPUBLISHED_SECONDS,
    UNSCANNED_SECONDS,
    WEBHOOK_TRIES,
)
from services.licensing.outbox import Outbox
from services.licensing.outlook import Outlook
from services.licensing.pacing import Pacing
from services.licensing.peers import ConsentPeer, MeteringPeer, RosterPeer
from services.licensing.proving import Prover
from services.licensing.publishing import Publisher
from services.licensing.recall_watching import RecallWatch
from services.licensing.recalling import RecallDesk
from services.licensing.receipt_reading import ReceiptReader
from services.licensing.rechecking import Rechecker
from services.licensing.reservation_peer import ReservationPeer
from services.licensing.resolving import Resolver
from services.licensing.restores import Shown
from services.licensing.rpc import (
    affiliates,
    api_keys,
    audits,
    billing,
    contracts,
    deliveries,
    disclosures,
    explanations,
    log,
    manifests,
    recalls,
    releases,
    statistics,
    tokens,
    webhooks,
)
from services.licensing.rpc.sandbox import decide_in_sandbox
from services.licensing.sandbox import SandboxDesk
from services.licensing.scanning import Scanner
from services.licensing.sealing import SandboxSeal, Seal
from services.licensing.settings import LicensingSettings
from services.licensing.signing import SANDBOX_RECEIPT_TYPE, CheckpointSigner, NoteReader, ReceiptSigner
from services.licensing.statistics import Counting
from services.licensing.storage.affiliates import AffiliateStore
from services.licensing.storage.announcements import AnnouncementStore
from services.licensing.storage.api_keys import ApiKeyStore
from services.licensing.storage.auditing import AuditStore
from services.licensing.storage.billing import BillingStore, server_now_us
from services.licensing.storage.contracts import ContractStore
from services.licensing.storage.countersignatures import CountersignatureStore
from services.licensing.storage.disclosures import DisclosureStore
from services.licensing.storage.ledger import LedgerStore
from services.licensing.storage.log import LogStore
from services.licensing.storage.log_folder import LogFolder
from services.licensing.storage.manifests import ManifestStore
from services.licensing.storage.outbox import OutboxStore
from services.licensing.storage.recall_answers import RecallAnswerStore
from services.licensing.storage.recalls import RecallStore
from services.licensing.storage.release_index_writer import ReleaseIndexWriter
from services.licensing.storage.restores import RestoreStore
from services.licensing.storage.sandbox import SandboxAnswers
from services.licensing.storage.statistics import StatisticsStore
from services.licensing.storage.webhooks import WebhookStore
from services.licensing.sweeper import Sweeper
from services.licensing.tokens import TokenDesk
from services.licensing.webhook_peer import WebhookPeer
from services.licensing.webhooks import WebhookDesk
from services.licensing.withdrawal_peer import RecheckPeer, WithdrawalPeer

SECOND_US = 1_000_000
WITHDRAWALS_IN_HAND = 20_000
"""Read and not scanned yet; some MB."""


@dataclass(frozen=True)
class Base:
    """What every part stands on."""

    settings: LicensingSettings
    clock: Clock
    keys: Keys
    database: Database

    @property
    def margin_us(self) -> int:
        """How far the clocks of the services may differ."""
        return int(self.settings.clock_margin_seconds * SECOND_US)

    @property
    def chance(self) -> Chance:
        """Where ids and salts come from."""
        return Chance(lambda: uuid7(self.clock.now_us()), lambda: secrets.token_bytes(32))

    def minter(self, lifetime_seconds: float | None = None) -> TokenMinter:
        """Mints tokens of this installation, for so long or as long as is usual."""
        settings = self.settings
        lifetime = {} if lifetime_seconds is None else {"lifetime_us": int(lifetime_seconds * SECOND_US)}
        return TokenMinter(
            self.keys.token_private, settings.token_issuer, settings.token_audience, self.clock, **lifetime
        )


@dataclass(frozen=True)
class Peers:
    """The services that licensing asks."""

    consent: Peer
    metering: Peer
    consent_highest: Highest
    """One for all parts that ask it, like that of metering: what one was shown the others do not forget."""
    metering_highest: Highest

    @classmethod
    def dial(cls, base: Base) -> "Peers":
        """Nothing is sent before the first call."""
        minter, settings = base.minter(), base.settings

        def dialed(name: str, target: str) -> Peer:
            return Peer(
                target,
                lambda: minter.mint(PrincipalKind.SERVICE, "licensing"),
                name=name,
                default_deadline_us=int(settings.peer_deadline_seconds * SECOND_US),
            )

        return cls(
            dialed("consent", settings.consent_target),
            dialed("metering", settings.metering_target),
            _highest_of("consent"),
            _highest_of("metering"),
        )

    def asked_for_consent(self, base: Base) -> ConsentPeer:
        """Consent, to be asked which posts may go."""
        return ConsentPeer(self.consent, self.consent_highest, base.clock, base.margin_us)

    def asked_for_room(self) -> MeteringPeer:
        """Metering, to be asked for room and told what became of it."""
        return MeteringPeer(self.metering, self.metering_highest)


def _highest_of(peer: str) -> Highest:
    highest = Highest(peer)
    PEER_BEHIND.labels(peer).set_function(lambda: float(highest.is_behind))
    return highest


@dataclass(frozen=True)
class Part:
    """What serves, and what runs beside it."""

    bolts: tuple[Bolt, ...]
    background: tuple[BackgroundTask, ...] = ()
    checks: tuple[Callable[[], Awaitable[None]], ...] = ()
    """Made before anything is served; each raises a Refusal where nothing may be."""


@dataclass(frozen=True)
class Licensing:
    """The assembled service."""

    bolts: tuple[Bolt, ...]
    background: tuple[BackgroundTask, ...]
    peers: tuple[Peer, ...]
    checks: tuple[Callable[[], Awaitable[None]], ...]


def assemble(settings: LicensingSettings, clock: Clock, keys: Keys, database: Database) -> Licensing:
    """All parts of licensing."""
    base = Base(settings, clock, keys, database)
    peers = Peers.dial(base)
    licenses = ContractDesk(ContractStore(database), clock)
    parts = (
        _releases(base, peers, licenses),
        _contracts(base, peers, licenses),
        _keys_and_tokens(base),
        _explanations(base, peers, licenses),
        _billing(base),
        _log(base),
        _recalls(base, peers),
        _webhooks(base),
        _audits(base, peers),
        _disclosures(base),
    )
    return Licensing(
        bolts=tuple(bolt for part in parts for bolt in part.bolts),
        background=tuple(task for part in parts for task in part.background),
        peers=(peers.consent, peers.metering),
        checks=tuple(check for part in parts for check in part.checks),
    )


def accepting(settings: LicensingSettings, clock: Clock, keys: Keys, database: Database) -> Acceptance:
    """What an operator needs who accepts that the database was restored; it is open to nobody else."""
    reader = NoteReader(keys.checkpoints.jwks, settings.log_origin)
    return Acceptance(RestoreStore(database), LogFolder(settings.log_folder), reader, clock)


def _releases(base: Base, peers: Peers, licenses: ContractDesk) -> Part:
    settings, clock, database = base.settings, base.clock, base.database
    consent, meter = peers.asked_for_consent(base), peers.asked_for_room()
    outbox, store = Outbox(OutboxStore(database), meter), LedgerStore(database)
    seal = Seal(ReceiptSigner(base.keys.receipts), int(settings.permit_seconds * SECOND_US))
    ledger = Ledger(store, seal, clock, outbox.wake, margin_us=base.margin_us)
    desk = ReleaseDesk(
        ledger, licenses, consent, meter, clock=clock, chance=base.chance, margin_us=base.margin_us
    )
    sweeper = Sweeper(
        ledger,
        Resolver(store, clock, outbox.wake, margin_us=base.margin_us),
        meter,
        clock,
        age_us=int(settings.sweep_age_seconds * SECOND_US),
        interval_seconds=settings.sweep_interval_seconds,
    )
    countersigning = Countersigning(CountersignatureStore(database), clock)
    answers = SandboxAnswers(database)
    forgetting = Forgetting(answers, clock, interval_seconds=settings.sweep_interval_seconds)
    sandbox = functools.partial(decide_in_sandbox, _sandbox(base, answers, consent, licenses))
    bolts = (releases.bolt(desk, ledger, clock, sandbox), deliveries.bolt(countersigning))
    check = functools.partial(begin_with, store.shown, peers.consent_highest, peers.metering_highest)
    return Part(bolts, (outbox, sweeper, forgetting), (check,))


def _sandbox(
    base: Base, answers: SandboxAnswers, consent: ConsentPeer, licenses: ContractDesk
) -> SandboxDesk:
    return SandboxDesk(
        answers,
        licenses,
        consent,
        SandboxSeal(ReceiptSigner(base.keys.receipts, SANDBOX_RECEIPT_TYPE)),
        Pacing(base.settings.sandbox_posts_per_minute),
        clock=base.clock,
        chance=base.chance,
        margin_us=base.margin_us,
    )


def _contracts(base: Base, peers: Peers, licenses: ContractDesk) -> Part:
    together = AffiliateDesk(AffiliateStore(base.database), RosterPeer(peers.metering), base.clock)
    finisher = Finisher(together, interval_seconds=base.settings.sweep_interval_seconds)
    return Part((contracts.bolt(licenses, base.clock), affiliates.bolt(together)), (finisher,))


def _keys_and_tokens(base: Base) -> Part:
    def fresh(sandbox: bool) -> NewKey:
        return new_key(sandbox, secrets.token_bytes(KEY_ID_BYTES), secrets.token_bytes(SECRET_BYTES))

    desk = KeyDesk(ApiKeyStore(base.database), base.clock, fresh)
    minter = base.minter(base.settings.api_token_seconds)
    exchange = TokenDesk(desk, minter, Jwks(base.settings.token_jwks), base.clock)
    return Part((api_keys.bolt(desk), tokens.bolt(exchange)))


def _explanations(base: Base, peers: Peers, licenses: ContractDesk) -> Part:
    consent, meter = peers.asked_for_consent(base), peers.asked_for_room()
    explainer = Explainer(licenses, consent, meter, base.clock, margin_us=base.margin_us)
    sums = StatisticsStore(base.database)
    return Part((explanations.bolt(explainer), statistics.bolt(sums, base.clock)), (Counting(sums),))


def _billing(base: Base) -> Part:
    store, clock = BillingStore(base.database, server_now_us), base.clock
    bills = BillingDesk(store, clock, lambda: uuid7(clock.now_us()), base.margin_us)
    return Part((billing.bolt(bills, Outlook(store, clock)),))


def _recalls(base: Base, peers: Peers) -> Part:
    settings, clock, store = base.settings, base.clock, RecallStore(base.database)
    backlog, new_id = Backlog(WITHDRAWALS_IN_HAND), base.chance.new_id
    follower = Follower(WithdrawalPeer(peers.consent), store, backlog, clock)
    fence = FenceMover(store, backlog, interval_seconds=settings.fence_seconds)
    scanner = Scanner(store, backlog, clock, new_id=new_id, new_withdrawal_id=lambda: str(uuid.uuid4()))
    rechecker = Rechecker(store, RecheckPeer(peers.consent), clock, new_id=new_id)
    pace = Pace(int(settings.recall_interval_seconds * SECOND_US), settings.recall_days)
    issuer = Issuer(store, clock, is_business_day, pace, show=_show_recalls)
    UNSCANNED_SECONDS.set_function(follower.unscanned_seconds)
    answers = RecallAnswerStore(base.database)
    bolt = recalls.bolt(RecallDesk(answers, backlog, clock), RecallWatch(answers))
    return Part((bolt,), (follower, fence, scanner, rechecker, issuer))


def _webhooks(base: Base) -> Part:
    allow_private, clock, database = base.settings.webhook_allow_private, base.clock, base.database
    desk = WebhookDesk(
        WebhookStore(database),
        clock,
        lambda: secrets.token_bytes(WEBHOOK_SECRET_BYTES),
        allow_private=allow_private,
    )
    announcer = Announcer(
        AnnouncementStore(database),
        WebhookPeer(allow_private=allow_private),
        clock,
        secrets.SystemRandom().random,
        allow_private=allow_private,
        count=lambda outcome: WEBHOOK_TRIES.labels(outcome.word).inc(),
    )
    return Part((webhooks.bolt(desk),), (announcer,))


def _show_recalls(standing: Standing) -> None:
    RECALLS_COLLECTING.set(standing.collecting)
    RECALLS_OVERDUE.set(standing.overdue)
    RECHECKS_OPEN.set(standing.rechecks_open)


def _log(base: Base) -> Part:
    settings = base.settings
    store, folder = LogStore(base.database), LogFolder(settings.log_folder)
    shown = Shown(store, folder, NoteReader(base.keys.checkpoints.jwks, settings.log_origin))
    signer = CheckpointSigner(base.keys.checkpoints, settings.log_origin)
    publisher = Publisher(
        store, folder, shown, signer, base.clock, on_loss=lambda: base.database.give_up(Behind())
    )
    UNPUBLISHED_SECONDS.set_function(publisher.uncovered_seconds)
    proofs = (log.bolt(Prover(store, shown)), manifests.bolt(ManifestProver(ManifestStore(base.database))))
    return Part(proofs, (publisher,), (shown.check_at_start,))


def _audits(base: Base, peers: Peers) -> Part:
    settings = base.settings
    # What the sweeper has looked at twice, and metering has been told, is not on its way any more.
    grace_seconds = settings.sweep_age_seconds + 2 * settings.sweep_interval_seconds
    auditor = Auditor(
        AuditStore(base.database),
        ReservationPeer(peers.metering),
        ReceiptReader(Jwks(base.keys.receipt_jwks)),
        base.clock,
        grace_us=int(grace_seconds * SECOND_US),
    )
    return Part((audits.bolt(auditor),))


def _disclosures(base: Base) -> Part:
    index = ReleaseIndexWriter(base.database)
    bolt = disclosures.bolt(DisclosureStore(base.database), index, base.clock)
    return Part((bolt,), (Indexing(index),))
