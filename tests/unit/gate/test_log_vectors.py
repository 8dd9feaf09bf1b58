"""Published proofs, true and false, through both implementations: the one that makes, the one that checks."""

import base64
from typing import Any

from services.chassis.refusals import Refusal
from services.licensing.domain.merkle import leaf_hash
from sluice_gate.errors import VerificationError
from sluice_gate.verifying.trees import HASH_BYTES, check_consistency, check_inclusion
from tests.support.logs import ALog
from tests.support.vectors import vectors, vectors_below

Case = dict[str, Any]


def test_of_published_inclusion_proofs_the_true_ones_hold_and_no_others() -> None:
    leaves = published_leaves()
    cases = vectors_below("merkle/inclusion")

    true = {name for name, case in cases.items() if not case["wantErr"]}

    assert len(cases) > len(true) > 1
    assert {name for name, case in cases.items() if inclusion_holds(case)} == true
    assert {name for name, case in cases.items() if inclusion_would_be_made(case, leaves)} == true


def test_of_published_consistency_proofs_the_true_ones_hold_and_no_others() -> None:
    leaves = published_leaves()
    cases = vectors_below("merkle/consistency")

    true = {name for name, case in cases.items() if not case["wantErr"]}
    # One published case has made up a root that no leaves have: a tree goes on from itself whatever it is.
    of_leaves = {name for name in true if len(decoded(cases[name]["root1"])) == HASH_BYTES}

    assert len(cases) > len(true) > len(of_leaves) > 1
    assert {name for name, case in cases.items() if consistency_holds(case)} == true
    assert {name for name, case in cases.items() if consistency_would_be_made(case, leaves)} == of_leaves


def published_leaves() -> list[bytes]:
    """The eight leaves of the trees in the vectors."""
    return [bytes.fromhex(leaf) for leaf in vectors("merkle/rfc6962_roots.json")["inputs_hex"]]


def inclusion_holds(case: Case) -> bool:
    leaf, root = decoded(case["leafHash"]), decoded(case["root"])
    try:
        check_inclusion(leaf, case["leafIdx"], case["treeSize"], root, proof_of(case))
    except VerificationError:
        return False
    return True


def inclusion_would_be_made(case: Case, leaves: list[bytes]) -> bool:
    log, index, size = ALog(leaves), case["leafIdx"], case["treeSize"]
    claimed = (decoded(case["leafHash"]), decoded(case["root"]), proof_of(case))
    try:
        proof = log.inclusion(index, size)
    except Refusal as refusal:
        assert refusal.reason == "INCLUSION_OUT_OF_RANGE"
        return False
    return claimed == (leaf_hash(leaves[index]), log.root(size), proof)


def consistency_holds(case: Case) -> bool:
    first_root, second_root = decoded(case["root1"]), decoded(case["root2"])
    try:
        check_consistency(case["size1"], case["size2"], first_root, second_root, proof_of(case))
    except VerificationError:
        return False
    return True


def consistency_would_be_made(case: Case, leaves: list[bytes]) -> bool:
    log, first, second = ALog(leaves), case["size1"], case["size2"]
    claimed = (decoded(case["root1"]), decoded(case["root2"]), proof_of(case))
    try:
        proof = log.consistency(first, second)
    except Refusal as refusal:
        assert refusal.reason == "CONSISTENCY_OUT_OF_RANGE"
        return False
    return claimed == (log.root(first), log.root(second), proof)


def decoded(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def proof_of(case: Case) -> list[bytes]:
    return [decoded(hash) for hash in case["proof"] or []]
