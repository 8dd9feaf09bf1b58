"""The parts that decide, and say why."""

import functools

from services.licensing.assembly.base import SECOND_US, Base, Part, Peers
from services.licensing.backlogs import BacklogWatch
from services.licensing.contracts import ContractDesk
from services.licensing.countersigning import Countersigning
from services.licensing.desk import ReleaseDesk
from services.licensing.explaining import Explainer
from services.licensing.forgetting import Forgetting
from services.licensing.highest import begin_with, rise_both
from services.licensing.ledger import Ledger
from services.licensing.outbox import Outbox
from services.licensing.pacing import Pacing
from services.licensing.peers import ConsentPeer
from services.licensing.requesting import RequestDesk
from services.licensing.resolving import Resolver
from services.licensing.rpc import (
    deliveries,
    explanations,
    releases,
    statistics,
)
from services.licensing.rpc.sandbox import decide_in_sandbox
from services.licensing.sandbox import SandboxDesk
from services.licensing.sealing import SandboxSeal, Seal
from services.licensing.serving import ServingDesk
from services.licensing.signing import SANDBOX_RECEIPT_TYPE, ReceiptSigner
from services.licensing.statistics import Counting
from services.licensing.storage.backlogs import BacklogStore
from services.licensing.storage.countersignatures import CountersignatureStore
from services.licensing.storage.ledger import LedgerStore
from services.licensing.storage.listing import DecisionList
from services.licensing.storage.outbox import OutboxStore
from services.licensing.storage.sandbox import SandboxAnswers
from services.licensing.storage.statistics import StatisticsStore
from services.licensing.sweeper import Sweeper


def releases_part(base: Base, peers: Peers, licenses: ContractDesk) -> Part:
    """Decides, keeps every decision, and settles what became of it."""
    settings, clock, database = base.settings, base.clock, base.database
    consent, meter = peers.asked_for_consent(base), peers.asked_for_room()
    outbox = Outbox(OutboxStore(database), meter)
    store = LedgerStore(database, rise_both(peers.consent_highest, peers.metering_highest))
    seal = Seal(ReceiptSigner(base.keys.receipts), int(settings.permit_seconds * SECOND_US))
    ledger = Ledger(store, seal, clock, outbox.wake, margin_us=base.margin_us)
    desk = ReleaseDesk(
        ledger, licenses, consent, meter, clock=clock, chance=base.chance, margin_us=base.margin_us
    )
    sweep_age_us = int(settings.sweep_age_seconds * SECOND_US)
    requests = RequestDesk(
        desk,
        ledger,
        licenses,
        peers.asked_for_posts(base),
        peers.asked_for_probes(base),
        clock=clock,
        new_id=base.chance.new_id,
        sweep_age_us=sweep_age_us,
    )
    sweeper = Sweeper(
        ledger,
        Resolver(store, clock, outbox.wake, margin_us=base.margin_us),
        meter,
        clock,
        age_us=sweep_age_us,
        interval_seconds=settings.sweep_interval_seconds,
    )
    countersigning = Countersigning(CountersignatureStore(database), clock)
    answers = SandboxAnswers(database)
    forgetting = Forgetting(answers, clock, interval_seconds=settings.sweep_interval_seconds)
    sandbox = functools.partial(decide_in_sandbox, _sandbox(base, answers, consent, licenses))
    listed = DecisionList(database)
    released = releases.bolt(desk, requests, ServingDesk(store), ledger, listed, clock=clock, sandbox=sandbox)
    bolts = (released, deliveries.bolt(countersigning))
    check = functools.partial(begin_with, store.shown, peers.consent_highest, peers.metering_highest)
    backlogs = BacklogWatch(BacklogStore(database), clock)
    return Part(bolts, (outbox, sweeper, forgetting, backlogs), (check,))


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


def explanations_part(base: Base, peers: Peers, licenses: ContractDesk) -> Part:
    """Explains decisions, and counts them."""
    consent, meter = peers.asked_for_consent(base), peers.asked_for_room()
    explainer = Explainer(licenses, consent, meter, base.clock, margin_us=base.margin_us)
    sums = StatisticsStore(base.database)
    return Part((explanations.bolt(explainer), statistics.bolt(sums, base.clock)), (Counting(sums),))
