"""The parts that reach back: recalls, their announcement, and what subjects are told."""

import secrets

from services.chassis.ids import untimed_id
from services.chassis.metrics import show
from services.licensing.announcing import Announcer
from services.licensing.assembly.base import SECOND_US, Base, Part, Peers
from services.licensing.business_days import is_business_day
from services.licensing.domain.recalls.backlog import Backlog
from services.licensing.domain.webhooks.signatures import WEBHOOK_SECRET_BYTES
from services.licensing.following import FenceMover, Follower
from services.licensing.indexing import Indexing
from services.licensing.issuing import Issuer, Pace, Standing
from services.licensing.metrics import (
    RECALLS_COLLECTING,
    RECALLS_OVERDUE,
    RECHECKS_OPEN,
    STREAM_SILENT_SECONDS,
    UNSCANNED_SECONDS,
    WEBHOOK_TRIES,
)
from services.licensing.recall_watching import RecallWatch
from services.licensing.recalling import RecallDesk
from services.licensing.rechecking import Rechecker
from services.licensing.rpc import (
    disclosures,
    recalls,
    webhooks,
)
from services.licensing.scanning import Scanner
from services.licensing.storage.announcements import AnnouncementStore
from services.licensing.storage.disclosures import DisclosureStore
from services.licensing.storage.recall_answers import RecallAnswerStore
from services.licensing.storage.recalls import RecallStore
from services.licensing.storage.release_index_writer import ReleaseIndexWriter
from services.licensing.storage.webhooks import WebhookStore
from services.licensing.webhook_peer import WebhookPeer
from services.licensing.webhooks import WebhookDesk
from services.licensing.withdrawal_peer import RecheckPeer, WithdrawalPeer

WITHDRAWALS_IN_HAND = 20_000
"""Read and not scanned yet; some MB."""


def recalls_part(base: Base, peers: Peers) -> Part:
    """Follows withdrawals, and recalls what was released before them."""
    settings, clock, store = base.settings, base.clock, RecallStore(base.database)
    backlog = Backlog(WITHDRAWALS_IN_HAND)
    follower = Follower(WithdrawalPeer(peers.consent), store, backlog, clock)
    fence = FenceMover(store, backlog, interval_seconds=settings.fence_seconds)
    # Both are told to licensees: a time in them would be that of somebody's withdrawal (W2).
    scanner = Scanner(store, backlog, clock, new_id=untimed_id, new_withdrawal_id=untimed_id)
    rechecker = Rechecker(store, RecheckPeer(peers.consent), clock, new_id=untimed_id)
    pace = Pace(int(settings.recall_interval_seconds * SECOND_US), settings.recall_days)
    issuer = Issuer(store, clock, is_business_day, pace, show=_show_recalls)
    show(UNSCANNED_SECONDS, follower.unscanned_seconds)
    show(STREAM_SILENT_SECONDS, follower.silent_seconds)
    answers = RecallAnswerStore(base.database)
    bolt = recalls.bolt(RecallDesk(answers, backlog, clock), RecallWatch(answers))
    return Part((bolt,), (follower, fence, scanner, rechecker, issuer))


def webhooks_part(base: Base) -> Part:
    """Announces recalls."""
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


def disclosures_part(base: Base) -> Part:
    """Tells subjects who got their posts."""
    index = ReleaseIndexWriter(base.database)
    bolt = disclosures.bolt(DisclosureStore(base.database), index, base.clock)
    return Part((bolt,), (Indexing(index),))
