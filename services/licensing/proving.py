"""Proofs of the log, for those who may have them (R2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.chassis.refusals import not_found, unavailable
from services.licensing.domain.log.growth import Place, Signed, reader_of
from services.licensing.domain.log.proofs import Plan, consistency, inclusion
from services.licensing.domain.log.tiles import hashes_in, tile_with
from services.licensing.ledger import unknown_decision

RETRY_UNTIL_LOGGED_US = 1_000_000
"""Within which a receipt is in a checkpoint when nothing is broken."""


@dataclass(frozen=True)
class Logged:
    """A receipt by its place, and whose it is."""

    decision_id: str
    number: int
    principal_kind: str
    principal: str
    licensee_id: str

    @classmethod
    def lost(cls, number: int) -> "Logged":
        """One whose decision a restore has lost: nobody knows any more whose it is (R5)."""
        return cls(decision_id="", number=number, principal_kind="", principal="", licensee_id="")

    def is_for(self, kind: str, party: str) -> bool:
        """Whether a pipeline asked for the decision, or a licensee is the one that it is about."""
        if kind == "licensee":
            return self.licensee_id == party
        return kind != "pipeline" or (self.principal_kind, self.principal) == (kind, party)


@dataclass(frozen=True)
class InclusionProof:
    """That a receipt is in the tree of some size."""

    logged: Logged
    size: int
    hashes: Sequence[bytes]
    """32 bytes each, from the leaf upwards."""
    signed: Signed | None
    """The checkpoint of that size, where there is one."""


@dataclass(frozen=True)
class ConsistencyProof:
    """That a tree begins with an earlier one."""

    first: int
    second: int
    hashes: Sequence[bytes]
    signed: Signed | None
    """The checkpoint of the second size, where there is one."""


class Store(Protocol):
    """The log in licensing's database."""

    async def signed_at(self, size: int) -> Signed | None: ...
    async def tiles(self, places: Sequence[Place]) -> Mapping[Place, bytes]: ...
    async def by_decision(self, decision_id: str) -> Logged | None: ...
    async def by_number(self, number: int) -> Logged | None: ...


class Published(Protocol):
    """What everyone can see."""

    async def newest(self) -> Signed | None: ...


class Prover:
    """Makes proofs of what has been published, from the tiles alone.

    Published is what the folder shows, not what is signed: a checkpoint that the folder never had could be
    forgotten with the database, and another one of its size be signed (R5).
    """

    def __init__(self, store: Store, published: Published) -> None:
        self._store = store
        self._published = published

    async def newest(self) -> Signed:
        """The newest checkpoint.

        Raises Refusal: not found (CHECKPOINT_UNKNOWN) while there is none; what `Shown.newest` raises.
        """
        return _some(await self._published.newest())

    async def inclusion(self, which: str | int, size: int, kind: str, party: str) -> InclusionProof:
        """The proof of one receipt, by its decision or its number; `size` 0 is that of the newest checkpoint.

        Raises Refusal: DECISION_UNKNOWN, RECEIPT_NOT_LOGGED (unavailable) while no checkpoint covers it,
        INCLUSION_OUT_OF_RANGE, LOG_DAMAGED, and what `newest` raises.
        """
        by = self._store.by_decision(which) if isinstance(which, str) else self._store.by_number(which)
        logged = await by
        if logged is None or not logged.is_for(kind, party):
            raise unknown_decision()
        last = await self._published.newest()
        if not size and (last is None or logged.number > last.head.size):
            message = "no checkpoint covers the receipt yet"
            raise unavailable("RECEIPT_NOT_LOGGED", message, retry_after_us=RETRY_UNTIL_LOGGED_US)
        newest = _some(last)
        published = newest.head.size
        hashes = await self._hashes(inclusion(logged.number - 1, size or published, published), published)
        return InclusionProof(logged, size or published, hashes, await self._signed(size, newest))

    async def consistency(self, first: int, second: int) -> ConsistencyProof:
        """The proof from `first` leaves to `second`; 0 for those of the newest checkpoint.

        Raises Refusal: CHECKPOINT_UNKNOWN, CONSISTENCY_OUT_OF_RANGE, LOG_DAMAGED, and what `newest` raises.
        """
        newest = await self.newest()
        published = newest.head.size
        plan = consistency(first, second or published, published)
        hashes = await self._hashes(plan, published)
        return ConsistencyProof(first, second or published, hashes, await self._signed(second, newest))

    async def _signed(self, size: int, newest: Signed) -> Signed | None:
        return await self._store.signed_at(size) if size else newest

    async def _hashes(self, plan: Plan, published: int) -> list[bytes]:
        tiles = (tile_with(node, published) for node in plan.nodes())
        contents = await self._store.tiles(sorted({(tile.level, tile.index) for tile in tiles}))
        return plan.proof(hashes_in(published, reader_of(contents)))


def _some(newest: Signed | None) -> Signed:
    """Raises Refusal: not found (CHECKPOINT_UNKNOWN) for none."""
    if newest is None:
        raise not_found("CHECKPOINT_UNKNOWN", "no checkpoint of the log has been published yet")
    return newest
