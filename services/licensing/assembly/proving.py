"""The parts that prove: the log, the audit, and what accepts a restored database."""

from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.jwks import Jwks
from services.chassis.kept_heads import HeadFile
from services.chassis.keys import Keys
from services.chassis.metrics import show
from services.chassis.refusals import Behind
from services.licensing.accepting import Acceptance
from services.licensing.assembly.base import SECOND_US, Base, Part, Peers
from services.licensing.auditing import Auditor
from services.licensing.manifest_proofs import ManifestProver
from services.licensing.metrics import (
    UNPUBLISHED_SECONDS,
)
from services.licensing.proving import Prover
from services.licensing.publishing import Publisher
from services.licensing.receipt_reading import ReceiptReader
from services.licensing.reservation_peer import ReservationPeer
from services.licensing.restores import Shown
from services.licensing.rpc import (
    audits,
    log,
    manifests,
)
from services.licensing.settings import LicensingSettings
from services.licensing.signing import CheckpointSigner, NoteReader
from services.licensing.storage.auditing import AuditStore
from services.licensing.storage.log import LogStore
from services.licensing.storage.log_folder import LogFolder
from services.licensing.storage.manifests import ManifestStore
from services.licensing.storage.restore_queries import RestoreList
from services.licensing.storage.restores import RestoreStore


def log_part(base: Base) -> Part:
    """The log of receipts, and proofs of what is in it."""
    settings = base.settings
    store, folder = LogStore(base.database), LogFolder(settings.log_folder)
    shown = Shown(store, folder, NoteReader(base.keys.checkpoints.jwks, settings.log_origin))
    signer = CheckpointSigner(base.keys.checkpoints, settings.log_origin)
    publisher = Publisher(
        store, folder, shown, signer, base.clock, on_loss=lambda: base.database.give_up(Behind())
    )
    show(UNPUBLISHED_SECONDS, publisher.uncovered_seconds)
    proofs = (
        log.bolt(Prover(store, shown), RestoreList(base.database)),
        manifests.bolt(ManifestProver(ManifestStore(base.database))),
    )
    return Part(proofs, (publisher,), (shown.check_at_start,))


def audits_part(base: Base, peers: Peers) -> Part:
    """Compares all of it with metering."""
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


def accepting(
    settings: LicensingSettings, clock: Clock, keys: Keys, database: Database, head: HeadFile
) -> Acceptance:
    """What an operator needs who accepts that the database was restored; it is open to nobody else."""
    reader = NoteReader(keys.checkpoints.jwks, settings.log_origin)
    folder = LogFolder(settings.log_folder)
    return Acceptance(RestoreStore(database, head), LogStore(database), folder, reader, clock)
