"""Bolts the parts of licensing together. Nothing runs yet."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.chassis.action_rows import SqlActions
from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.dialing import Peer
from services.chassis.keys import Keys
from services.chassis.serving import BackgroundTask, Bolt
from services.licensing.admitting import Tokens
from services.licensing.assembly.admitting import door_part
from services.licensing.assembly.base import Base, Peers
from services.licensing.assembly.contracting import billing_part, contracts_part, keys_part
from services.licensing.assembly.deciding import explanations_part, releases_part
from services.licensing.assembly.proving import accepting, audits_part, log_part
from services.licensing.assembly.reaching import disclosures_part, recalls_part, webhooks_part
from services.licensing.contracts import ContractDesk
from services.licensing.rpc import actions as action_log
from services.licensing.settings import LicensingSettings
from services.licensing.storage.action_tables import ACTIONS
from services.licensing.storage.contracts import ContractStore

__all__ = ["Licensing", "accepting", "assemble"]


@dataclass(frozen=True)
class Licensing:
    """The assembled service."""

    bolts: tuple[Bolt, ...]
    actions: SqlActions
    background: tuple[BackgroundTask, ...]
    peers: tuple[Peer, ...]
    checks: tuple[Callable[[], Awaitable[None]], ...]


def assemble(
    settings: LicensingSettings, clock: Clock, keys: Keys, database: Database, tokens: Tokens
) -> Licensing:
    """All parts of licensing; `tokens` is what its own callers are known by."""
    base = Base(settings, clock, keys, database)
    peers = Peers.dial(base)
    licenses = ContractDesk(ContractStore(database), clock)
    actions = SqlActions(database, ACTIONS, clock)
    parts = (
        releases_part(base, peers, licenses),
        contracts_part(base, peers, licenses),
        keys_part(base),
        explanations_part(base, peers, licenses),
        billing_part(base),
        log_part(base),
        recalls_part(base, peers),
        webhooks_part(base),
        audits_part(base, peers),
        disclosures_part(base),
        door_part(base, peers, tokens),
    )
    return Licensing(
        bolts=(*(bolt for part in parts for bolt in part.bolts), action_log.bolt(actions)),
        actions=actions,
        background=tuple(task for part in parts for task in part.background),
        peers=peers.all,
        checks=tuple(check for part in parts for check in part.checks),
    )
