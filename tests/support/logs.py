"""Logs for tests: RFC 6962's own definitions, word for word and slow, and logs made by licensing's domain."""

from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.licensing.domain.log.notes import Checkpoint, NoteSigner, signed_note
from services.licensing.domain.log.proofs import consistency, inclusion
from services.licensing.domain.log.tiles import Tile, built, grown, hashes_in
from services.licensing.domain.log.trees import Node, root_at
from services.licensing.domain.merkle import leaf_hash
from sluice_gate.verifying.checkpoints import Log
from sluice_gate.verifying.keys import Key, Keys

ORIGIN = "platform.example/receipts"


class Definition:
    """The tree hash and the proofs of RFC 6962, 2.1, over the leaves D."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.leaves = list(leaves)
        # Every subtree again for every proof would be too slow even for a test.
        self.mth = cache(self._mth)

    def _mth(self, start: int, end: int) -> bytes:
        """MTH(D[start:end])."""
        n = end - start
        if n == 0:
            return sha256(b"").digest()
        if n == 1:
            return sha256(b"\x00" + self.leaves[start]).digest()
        k = _split(n)
        return sha256(b"\x01" + self.mth(start, start + k) + self.mth(start + k, end)).digest()

    def hash_of(self, node: Node) -> bytes:
        """The hash of a node of licensing's tree."""
        return self.mth(node.index << node.level, (node.index + 1) << node.level)

    def path(self, m: int, start: int, end: int) -> list[bytes]:
        """PATH(m, D[start:end])."""
        n = end - start
        if n == 1:
            return []
        k = _split(n)
        if m < k:
            return [*self.path(m, start, start + k), self.mth(start + k, end)]
        return [*self.path(m - k, start + k, end), self.mth(start, start + k)]

    def proof(self, m: int, n: int) -> list[bytes]:
        """PROOF(m, D[n])."""
        return self._subproof(m, 0, n, complete=True)

    def _subproof(self, m: int, start: int, end: int, *, complete: bool) -> list[bytes]:
        n = end - start
        if m == n:
            return [] if complete else [self.mth(start, end)]
        k = _split(n)
        if m <= k:
            return [*self._subproof(m, start, start + k, complete=complete), self.mth(start + k, end)]
        return [*self._subproof(m - k, start + k, end, complete=False), self.mth(start, start + k)]


def _split(n: int) -> int:
    """The largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def some_leaves(count: int) -> list[bytes]:
    """Leaves that differ."""
    return [b"leaf %d" % number for number in range(count)]


class ALog:
    """A log as licensing's domain makes it, in memory: every tile that it ever had, partial ones too."""

    def __init__(self, leaves: Sequence[bytes] = (), *, at_once: int = 1000) -> None:
        """`at_once` is how many leaves each growth has."""
        self.size = 0
        self.tiles: dict[Tile, bytes] = {}
        for start in range(0, len(leaves), at_once):
            self.grow(leaves[start : start + at_once])

    def grow(self, leaves: Sequence[bytes]) -> None:
        hashes = [leaf_hash(leaf) for leaf in leaves]
        self.tiles.update(built(self.size, hashes, self.tiles.__getitem__))
        self.size += len(leaves)

    def root(self, size: int) -> bytes:
        return root_at(size, hashes_in(self.size, self.tiles.__getitem__))

    def inclusion(self, index: int, size: int) -> list[bytes]:
        return inclusion(index, size, self.size).proof(hashes_in(self.size, self.tiles.__getitem__))

    def consistency(self, first: int, second: int) -> list[bytes]:
        return consistency(first, second, self.size).proof(hashes_in(self.size, self.tiles.__getitem__))

    def note(self, *signers: NoteSigner, size: int | None = None) -> bytes:
        """The checkpoint of the first `size` leaves; of all by default."""
        size = self.size if size is None else size
        return signed_note(Checkpoint(ORIGIN, size, self.root(size)).text(), signers or [a_signer()])

    def write(self, folder: Path, *signers: NoteSigner) -> Path:
        """The log as files, with the tiles that a tree of its size has."""
        for tile in grown(0, self.size):
            path = folder / tile.path()
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.tiles[tile])
        (folder / "checkpoint").write_bytes(self.note(*signers))
        return folder


def a_key(number: int = 1) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


def a_signer(number: int = 1, name: str = ORIGIN) -> NoteSigner:
    key = a_key(number)
    return NoteSigner(name, key.public_key().public_bytes_raw(), key.sign)


def the_log(*numbers: int) -> Log:
    """The log as a verifier knows it, with these keys."""
    return Log(ORIGIN, keys_of(*(numbers or (1,))))


def keys_of(*numbers: int) -> Keys:
    return {f"key-{number}": Key(a_key(number).public_key()) for number in numbers}
