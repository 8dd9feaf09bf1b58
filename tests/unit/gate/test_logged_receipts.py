"""A receipt in the log (R2, R3): the leaf comes from the receipt, the root from the leaf, both must fit."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.licensing.domain.log.trees import receipt_leaf_hash
from sluice_gate.errors import VerificationError
from sluice_gate.verifying.checkpoints import Log
from sluice_gate.verifying.keys import parse_keys
from sluice_gate.verifying.logged import InclusionProof, LoggedReceipt, verify_in_copy, verify_logged
from sluice_gate.verifying.tiles import verify_log_folder
from sluice_gate.verifying.trees import leaf_hash
from tests.support.gate import FakeReleases, jwks
from tests.support.logs import ALog, a_signer, the_log
from tests.support.release_jobs import a_request, flips

KEYS = parse_keys(jwks())
COUNT = 13


def receipts_of(count: int) -> list[str]:
    """Receipts with the numbers from 1 on."""
    releases, receipts = FakeReleases(), []
    for number in range(count):
        request = a_request(2)
        request.request_id = f"01999999-1111-7000-8000-{number:012}"
        releases.stored[request.request_id] = releases.conclude(request)
        receipts.append(releases.stored[request.request_id].decision.receipt)
    return receipts


RECEIPTS = receipts_of(COUNT)
LOG = ALog([receipt.encode() for receipt in RECEIPTS])
NOTE = LOG.note()


def proof_of(index: int, size: int = COUNT, log: ALog = LOG) -> InclusionProof:
    return InclusionProof(index, size, log.inclusion(index, size))


def verified(
    receipt: str, proof: InclusionProof, note: bytes = NOTE, log: Log | None = None
) -> LoggedReceipt:
    return verify_logged(receipt, proof, note, log or the_log(), KEYS)


def reason_of(receipt: str, proof: InclusionProof, note: bytes = NOTE, log: Log | None = None) -> str:
    with pytest.raises(VerificationError) as caught:
        verified(receipt, proof, note, log)
    return caught.value.reason


def test_every_receipt_is_in_the_log_at_its_number_less_one_R2() -> None:  # noqa: N802
    for size in range(1, COUNT + 1):
        for index in range(size):
            logged = verified(RECEIPTS[index], proof_of(index, size), LOG.note(size=size))

            assert (logged.number, logged.checkpoint.size) == (index + 1, size)
            assert logged.decision_id == f"01999999-0000-7000-8000-{index + 1:012x}"


def test_both_implementations_have_the_same_leaf() -> None:
    for receipt in RECEIPTS:
        assert leaf_hash(receipt.encode()) == receipt_leaf_hash(receipt)


def test_a_receipt_that_is_logged_in_another_place_is_not_in_its_own() -> None:
    # The log has put the receipt with number 2 at index 5, and proves that truly.
    moved = ALog([receipt.encode() for receipt in (*RECEIPTS[:5], RECEIPTS[1], *RECEIPTS[6:])])

    assert reason_of(RECEIPTS[1], proof_of(5, log=moved), moved.note()) == "INDEX_DIFFERS"


def test_a_proof_for_another_size_than_the_checkpoints_shows_nothing() -> None:
    # The hashes can be the same for both sizes: the root does not say how many leaves it is over.
    three = InclusionProof(0, 4, LOG.inclusion(0, 3))

    assert reason_of(RECEIPTS[0], three, LOG.note(size=3)) == "SIZE_DIFFERS"
    assert reason_of(RECEIPTS[0], replace(three, size=3), LOG.note(size=4)) == "SIZE_DIFFERS"


def test_another_receipt_with_the_same_number_is_not_the_one_in_the_log() -> None:
    other = FakeReleases()
    receipt = other.conclude(a_request(3)).decision.receipt

    assert reason_of(receipt, proof_of(0)) == "INCLUSION_WRONG"


def test_a_checkpoint_by_a_stranger_shows_nothing() -> None:
    assert reason_of(RECEIPTS[0], proof_of(0), LOG.note(a_signer(9))) == "KEY_UNKNOWN"
    assert reason_of(RECEIPTS[0], proof_of(0), log=the_log(9)) == "KEY_UNKNOWN"


def test_a_receipt_beyond_the_checkpoint_is_not_under_it() -> None:
    assert reason_of(RECEIPTS[12], InclusionProof(12, 12, []), LOG.note(size=12)) == "INCLUSION_WRONG"


def changes(index: int) -> Iterator[tuple[str, InclusionProof, bytes]]:
    """A true case with one thing of it changed."""
    receipt, proof = RECEIPTS[index], proof_of(index)
    for other in range(-2, COUNT + 4):
        if other != index:
            yield receipt, replace(proof, index=other), NOTE
            yield receipt, proof_of(other) if 0 <= other < COUNT else replace(proof, index=1 << 64), NOTE
        if other != COUNT:
            yield receipt, replace(proof, size=other), NOTE
        if 0 <= other < COUNT:
            yield receipt, proof, LOG.note(size=other)
            yield receipt, replace(proof, hashes=LOG.inclusion(index, max(other, index + 1))[:other]), NOTE
    for place in range(len(proof.hashes)):
        for changed in flips(proof.hashes[place]):
            hashes = [*proof.hashes[:place], changed, *proof.hashes[place + 1 :]]
            yield receipt, replace(proof, hashes=hashes), NOTE
    for changed in flips(receipt.encode()):
        yield changed.decode("latin-1"), proof, NOTE
    for changed in flips(NOTE):
        yield receipt, proof, changed


def test_no_change_of_receipt_proof_or_checkpoint_is_accepted_R3() -> None:  # noqa: N802
    accepted = tried = 0
    for index in (0, 7, 12):
        true = (RECEIPTS[index], proof_of(index), NOTE)
        for case in changes(index):
            if case != true:
                tried += 1
                accepted += is_accepted(*case)

    assert (accepted, tried > 5_000) == (0, True)


def is_accepted(receipt: str, proof: InclusionProof, note: bytes) -> bool:
    try:
        verified(receipt, proof, note)
    except VerificationError:
        return False
    return True


def in_copy(receipt: str, folder: Path) -> LoggedReceipt:
    return verify_in_copy(receipt, folder, verify_log_folder(folder, the_log()), KEYS)


def test_each_receipt_is_found_in_its_place_in_a_copy_of_the_log(tmp_path: Path) -> None:
    folder = LOG.write(tmp_path)

    assert [in_copy(receipt, folder).number for receipt in RECEIPTS] == list(range(1, COUNT + 1))


def test_a_receipt_that_the_log_does_not_have_is_told_from_one_that_it_has_otherwise(tmp_path: Path) -> None:
    shorter = ALog([receipt.encode() for receipt in RECEIPTS[:5]]).write(tmp_path / "shorter")
    swapped = [*RECEIPTS[:2], RECEIPTS[3], RECEIPTS[2], *RECEIPTS[4:]]
    otherwise = ALog([receipt.encode() for receipt in swapped]).write(tmp_path / "otherwise")
    reasons = []

    for receipt, folder in ((RECEIPTS[5], shorter), (RECEIPTS[2], otherwise)):
        with pytest.raises(VerificationError) as caught:
            in_copy(receipt, folder)
        reasons.append(caught.value.reason)

    assert reasons == ["RECEIPT_NOT_COVERED", "LEAF_DIFFERS"]
