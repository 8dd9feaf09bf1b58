"""The parts that stand at the gateway: who comes in, the login wall, and who is counted."""

import socket
from time import monotonic

from services.chassis.ids import uuid7
from services.chassis.metrics import show
from services.licensing.admitting import Door, Tokens
from services.licensing.assembly.base import Base, Part, Peers
from services.licensing.metrics import CHECKS, NETWORK_CALLS, WALL_AGE_SECONDS
from services.licensing.network_counting import NetworkCounter
from services.licensing.network_peer import NetworkPeer
from services.licensing.rpc import authorization, walls
from services.licensing.rpc.admissions import BEHIND_THE_GATEWAY
from services.licensing.storage.walls import WallStore
from services.licensing.wall_watching import WallWatch
from services.licensing.walls import WallDesk

LONGEST_HOST = 64
"""Characters of a source that say where it is."""


def door_part(base: Base, peers: Peers, tokens: Tokens) -> Part:
    """Answers the gateway; `tokens` are checked as this service checks those of its own callers."""
    clock, store = base.clock, WallStore(base.database)
    watch = WallWatch(WallStore(base.database, urgent=True), clock, monotonic)
    show(WALL_AGE_SECONDS, watch.age_seconds)
    meter = NetworkPeer(peers.metering, _source(clock.now_us()), lambda: uuid7(clock.now_us()))
    networks = NetworkCounter(
        meter,
        clock,
        lambda outcome, calls: NETWORK_CALLS.labels(outcome).inc(calls),
        interval_seconds=base.settings.network_interval_seconds,
    )
    door = Door(tokens, BEHIND_THE_GATEWAY, watch, store, clock=clock, count=networks.count)
    desk = WallDesk(store, clock, watch.hold)
    bolts = (
        authorization.bolt(door, lambda outcome: CHECKS.labels(outcome).inc()),
        walls.bolt(desk, clock),
    )
    return Part(bolts, (watch, networks))


def _source(now_us: int) -> str:
    """This process and this start of it, in a name that no other has (M7)."""
    host = "".join(filter(str.isprintable, socket.gethostname()))[:LONGEST_HOST]
    return f"gateway {host} {uuid7(now_us)}"
