"""What every part of licensing stands on."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.chassis.certificates import Certificates
from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.dialing import Peer
from services.chassis.identity import PrincipalKind
from services.chassis.ids import uuid7
from services.chassis.keys import Keys
from services.chassis.metrics import show
from services.chassis.minting import TokenMinter
from services.chassis.serving import BackgroundTask, Bolt
from services.chassis.tls import ClientTls
from services.licensing.desk import Chance
from services.licensing.directory_peer import DirectoryPeer
from services.licensing.highest import Highest
from services.licensing.metrics import (
    PEER_BEHIND,
)
from services.licensing.peers import ConsentPeer, MeteringPeer
from services.licensing.probe_peer import ProbePeer
from services.licensing.settings import LicensingSettings

SECOND_US = 1_000_000


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
    directory: Peer | None
    """None where licensees cannot ask by post id."""
    consent_highest: Highest
    """One for all parts that ask it, like that of metering: what one was shown the others do not forget."""
    metering_highest: Highest

    @classmethod
    def dial(cls, base: Base) -> "Peers":
        """Nothing is sent before the first call. Raises Refusal (precondition) where TLS cannot be spoken."""
        minter, settings = base.minter(), base.settings
        files = settings.tls_files
        certificates = None if files is None else Certificates(files, base.clock, use="client")

        def dialed(name: str, target: str) -> Peer:
            return Peer(
                target,
                # The certificate says who we are; a token besides could only be stolen.
                None if certificates else lambda: minter.mint(PrincipalKind.SERVICE, "licensing"),
                name=name,
                default_deadline_us=int(settings.peer_deadline_seconds * SECOND_US),
                tls=None if certificates is None else ClientTls(certificates, name),
            )

        return cls(
            dialed("consent", settings.consent_target),
            dialed("metering", settings.metering_target),
            dialed("directory", settings.directory_target) if settings.directory_target else None,
            _highest_of("consent"),
            _highest_of("metering"),
        )

    @property
    def all(self) -> tuple[Peer, ...]:
        """Every connection."""
        return (self.consent, self.metering, *([self.directory] if self.directory else []))

    def asked_for_consent(self, base: Base) -> ConsentPeer:
        """Consent, to be asked which posts may go."""
        return ConsentPeer(self.consent, self.consent_highest, base.clock, base.margin_us)

    def asked_for_room(self) -> MeteringPeer:
        """Metering, to be asked for room and told what became of it."""
        return MeteringPeer(self.metering, self.metering_highest)

    def asked_for_posts(self, base: Base) -> DirectoryPeer | None:
        """The directory, to be asked what posts are; None where there is none."""
        if self.directory is None:
            return None
        oldest_us = int(base.settings.directory_age_seconds * SECOND_US)
        return DirectoryPeer(self.directory, base.clock, margin_us=base.margin_us, oldest_us=oldest_us)

    def asked_for_probes(self, base: Base) -> ProbePeer:
        """Metering, to be asked whether a licensee may have more denied."""
        return ProbePeer(self.metering, self.metering_highest, base.settings.probes_per_day)


def _highest_of(peer: str) -> Highest:
    highest = Highest(peer)
    show(PEER_BEHIND.labels(peer), lambda: float(highest.is_behind))
    return highest


@dataclass(frozen=True)
class Part:
    """What serves, and what runs beside it."""

    bolts: tuple[Bolt, ...]
    background: tuple[BackgroundTask, ...] = ()
    checks: tuple[Callable[[], Awaitable[None]], ...] = ()
    """Made before anything is served; each raises a Refusal where nothing may be."""
