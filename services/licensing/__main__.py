"""Starts licensing from its settings: `python -m services.licensing`."""

import secrets
import zoneinfo
from dataclasses import dataclass
from pathlib import Path

from services.chassis.clock import Clock, SystemClock
from services.chassis.database import Database
from services.chassis.dialing import Peer
from services.chassis.identity import PrincipalKind, TokenMinter, TokenVerifier
from services.chassis.ids import uuid7
from services.chassis.keys import Keys, ensure_keys
from services.chassis.serving import BackgroundTask, Bolt, run, serve
from services.chassis.telemetry import start_telemetry
from services.licensing.affiliates import AffiliateDesk
from services.licensing.contracts import ContractDesk
from services.licensing.countersigning import Countersigning
from services.licensing.desk import Chance, ReleaseDesk
from services.licensing.explaining import Explainer
from services.licensing.finisher import Finisher
from services.licensing.ledger import Ledger
from services.licensing.outbox import Outbox
from services.licensing.peers import ConsentPeer, MeteringPeer, RosterPeer
from services.licensing.rpc import affiliates, contracts, deliveries, explanations, releases, statistics
from services.licensing.rpc.admissions import ADMISSIONS
from services.licensing.sealing import Seal
from services.licensing.settings import LicensingSettings
from services.licensing.signing import ReceiptSigner
from services.licensing.statistics import Counting
from services.licensing.storage.affiliates import AffiliateStore
from services.licensing.storage.contracts import ContractStore
from services.licensing.storage.countersignatures import CountersignatureStore
from services.licensing.storage.head import lock_group
from services.licensing.storage.ledger import LedgerStore
from services.licensing.storage.outbox import OutboxStore
from services.licensing.storage.statistics import StatisticsStore
from services.licensing.sweeper import Sweeper

SCHEMA = Path(__file__).with_name("schema")
SECOND_US = 1_000_000


@dataclass(frozen=True)
class Licensing:
    """The assembled service."""

    bolts: tuple[Bolt, ...]
    background: tuple[BackgroundTask, ...]
    peers: tuple[Peer, ...]


def assemble(settings: LicensingSettings, clock: Clock, keys: Keys, database: Database) -> Licensing:
    """Bolts the parts together; nothing runs yet."""
    minter = TokenMinter(keys.token_private, settings.token_issuer, settings.token_audience, clock)
    dialed = tuple(
        Peer(
            target,
            lambda: minter.mint(PrincipalKind.SERVICE, "licensing"),
            name=name,
            default_deadline_us=int(settings.peer_deadline_seconds * SECOND_US),
        )
        for name, target in (("consent", settings.consent_target), ("metering", settings.metering_target))
    )
    margin_us = int(settings.clock_margin_seconds * SECOND_US)
    consent, meter = ConsentPeer(dialed[0], clock, margin_us), MeteringPeer(dialed[1])
    outbox = Outbox(OutboxStore(database), meter)
    seal = Seal(ReceiptSigner(keys.receipt_private), int(settings.permit_seconds * SECOND_US))
    ledger = Ledger(LedgerStore(database), seal, clock, outbox.wake)
    licenses = ContractDesk(ContractStore(database), clock)
    chance = Chance(lambda: uuid7(clock.now_us()), lambda: secrets.token_bytes(32))
    desk = ReleaseDesk(ledger, licenses, consent, meter, clock=clock, chance=chance, margin_us=margin_us)
    age_us = int(settings.sweep_age_seconds * SECOND_US)
    sweeper = Sweeper(ledger, meter, clock, age_us=age_us, interval_seconds=settings.sweep_interval_seconds)
    together = AffiliateDesk(AffiliateStore(database), RosterPeer(dialed[1]), clock)
    finisher = Finisher(together, interval_seconds=settings.sweep_interval_seconds)
    sums = StatisticsStore(database)
    explainer = Explainer(licenses, consent, meter, clock, margin_us=margin_us)
    bolts = (
        releases.bolt(desk, ledger, clock),
        contracts.bolt(licenses, clock),
        affiliates.bolt(together),
        explanations.bolt(explainer),
        statistics.bolt(sums, clock),
        deliveries.bolt(Countersigning(CountersignatureStore(database), clock)),
    )
    return Licensing(bolts, (outbox, sweeper, finisher, Counting(sums)), dialed)


async def main() -> None:
    """Serves until it is told to stop."""
    settings = LicensingSettings.from_environment()
    # By one release of the rules of time zones, that of the package, whatever machine a replica runs on (B4).
    zoneinfo.reset_tzpath(())
    telemetry = start_telemetry("licensing", settings)
    clock = SystemClock()
    keys = ensure_keys(settings.state_dir / "keys")
    database = Database.open(settings.database_url, schema_dir=SCHEMA, name="licensing", lock=lock_group)
    licensing = assemble(settings, clock, keys, database)
    await serve(
        settings=settings,
        bolts=licensing.bolts,
        admissions=ADMISSIONS,
        verifier=TokenVerifier(settings.token_jwks, settings.token_issuer, settings.token_audience, clock),
        telemetry=telemetry,
        background=licensing.background,
        on_close=[*(peer.close for peer in licensing.peers), database.close],
    )


if __name__ == "__main__":
    run(main())
