"""Shows contributors their own part in a release, for those who may have it (R4)."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from services.chassis.identity import FOR_SUBJECTS, Principal, PrincipalKind
from services.chassis.refusals import Refusal, not_found
from services.licensing.domain.manifests import LeafProof, Manifest, leaf_proof
from services.licensing.ledger import unknown_decision


@dataclass(frozen=True)
class Released:
    """A decision by its receipt and its manifest, and who asked for it."""

    principal_kind: str
    principal: str
    receipt: str
    manifest: Manifest


@dataclass(frozen=True)
class ShownLeaf:
    """The leaf of one contributor, and the receipt that the root of its manifest is in."""

    receipt: str
    proof: LeafProof


class Store(Protocol):
    """Manifests in licensing's database."""

    async def released(self, decision_id: str) -> Released | None: ...


class ManifestProver:
    """Makes proofs of single leaves."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def leaf(self, decision_id: str, subject_id: int, caller: Principal) -> ShownLeaf:
        """What a decision released of a subject, for the caller.

        Raises Refusal: DECISION_UNKNOWN, CONTRIBUTOR_UNKNOWN (not found); MANIFEST_DAMAGED (internal).
        """
        if not caller.reaches(subject_id):
            raise unknown_decision()
        released = await self._store.released(decision_id)
        if released is None or (
            caller.kind is PrincipalKind.PIPELINE
            and (released.principal_kind, released.principal) != (caller.kind, caller.party)
        ):
            raise unknown_decision()
        # Ten thousand leaves take some hundredths of a second, in which others would wait.
        proof = await asyncio.to_thread(leaf_proof, released.manifest, subject_id)
        if proof is None:
            raise _no_part_in_it(caller.kind)
        return ShownLeaf(released.receipt, proof)


def _no_part_in_it(kind: PrincipalKind) -> Refusal:
    # A subject who is told that a decision is there, and not about them, knows of somebody else's.
    if kind in FOR_SUBJECTS:
        return unknown_decision()
    return not_found("CONTRIBUTOR_UNKNOWN", "the release held nothing of this contributor")
