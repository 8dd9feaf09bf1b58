"""Keys and their validity (R6), offline: what was signed outside it counts for nothing."""

import json
from typing import Any

import pytest

from services.chassis.keys import public_jwk
from sluice_gate.errors import VerificationError
from sluice_gate.verifying.checkpoints import Log, verify_checkpoint
from sluice_gate.verifying.keys import Key, Keys, parse_keys
from sluice_gate.verifying.manifest_proofs import verify_manifest_proof
from sluice_gate.verifying.receipts import Evidence, verify_receipt
from tests.support.clock import NOON_US
from tests.support.gate import jwks
from tests.support.logs import ORIGIN, ALog, a_key, a_signer, keys_of, some_leaves
from tests.support.manifest_proofs import a_release, some_posts
from tests.support.release_jobs import flips
from tests.unit.gate.test_checkpoints import mutated

NOON = NOON_US // 1_000_000
RELEASE = a_release(some_posts(8))
SUBJECT, PROOF = next(iter(RELEASE.proofs.items()))
LOG = ALog(some_leaves(9))


def keys_with(**members: Any) -> Keys:
    """The key of the fake, published with these members too."""
    document = json.loads(jwks())
    document["keys"][0] |= members
    return parse_keys(json.dumps(document).encode())


def of_another_purpose(*numbers: int) -> Keys:
    """Keys of the platform that do not sign receipts."""
    published = [public_jwk(a_key(number).public_key()) for number in numbers]
    return parse_keys(json.dumps({"keys": published}).encode())


def reason_of(keys: Keys, receipt: str = RELEASE.receipt) -> str | None:
    """Why a receipt is refused with the request it is about; None where it is not."""
    evidence = Evidence(receipt, RELEASE.request, RELEASE.verdicts, RELEASE.salt)
    try:
        verify_receipt(evidence, keys)
    except VerificationError as error:
        return error.reason
    return None


VALIDITIES: list[tuple[dict[str, Any], str | None]] = [
    ({}, None),
    ({"nbf": NOON}, None),
    ({"exp": NOON + 1}, None),
    ({"nbf": NOON - 60, "exp": NOON + 1, "revoked": False}, None),
    ({"exp": NOON + 1, "revoked": True}, None),
    ({"nbf": NOON + 1}, "KEY_NOT_YET_VALID"),
    ({"exp": NOON}, "KEY_EXPIRED"),
    ({"exp": 0}, "KEY_EXPIRED"),
    ({"exp": -1}, "KEY_EXPIRED"),
    ({"nbf": NOON + 1, "exp": NOON - 1}, "KEY_NOT_YET_VALID"),
    ({"exp": NOON, "revoked": True}, "KEY_REVOKED"),
]


@pytest.mark.parametrize(("members", "reason"), VALIDITIES, ids=str)
def test_r6_a_receipt_counts_where_it_was_decided_inside_the_validity_of_its_key(
    members: dict[str, Any], reason: str | None
) -> None:
    keys = keys_with(**members)

    assert reason_of(keys) == reason
    if reason is None:
        assert verify_manifest_proof(PROOF, SUBJECT, keys).key_is_revoked == members.get("revoked", False)
    else:
        with pytest.raises(VerificationError, match=reason):
            verify_manifest_proof(PROOF, SUBJECT, keys)


@pytest.mark.parametrize(
    "members",
    [
        *({"exp": end} for end in ("soon", 1.5, True, None)),
        *({"nbf": start} for start in ("1", 1.0, False, None)),
        *({"exp": 1, "revoked": said} for said in ("yes", 1, None, 0)),
        {"revoked": True},
    ],
    ids=str,
)
def test_r6_a_validity_that_cannot_be_read_is_not_taken_for_none(members: dict[str, Any]) -> None:
    with pytest.raises(VerificationError, match="KEYS_UNREADABLE"):
        keys_with(**members)


def test_r6_a_key_that_is_listed_twice_could_be_without_its_end() -> None:
    document = json.loads(jwks())
    document["keys"].append(document["keys"][0] | {"exp": 1})

    with pytest.raises(VerificationError, match="one key twice"):
        parse_keys(json.dumps(document).encode())


FALSE_KEYS = {
    "expired": keys_with(exp=NOON),
    "revoked": keys_with(exp=NOON, revoked=True),
    "not yet valid": keys_with(nbf=NOON + 1),
    "unknown": of_another_purpose(3),
    "of tokens and checkpoints": of_another_purpose(4, 5),
    # Under the right name, and with the wrong key behind it.
    "exchanged": dict.fromkeys(keys_with(), Key(a_key(6).public_key())),
}


@pytest.mark.parametrize("which", FALSE_KEYS)
def test_r6_no_receipt_changed_or_not_counts_under_a_key_that_may_not_have_signed_it(which: str) -> None:
    keys = FALSE_KEYS[which]
    receipts = [RELEASE.receipt, *(flip.decode("latin-1") for flip in flips(RELEASE.receipt.encode()))]

    assert [receipt for receipt in receipts if reason_of(keys, receipt) is None] == []
    assert len(receipts) > 2_000


def test_no_changed_receipt_is_believed_R3() -> None:  # noqa: N802
    accepted = tried = 0
    for changed in mutated(RELEASE.receipt.encode()):
        if changed != RELEASE.receipt.encode():
            tried += 1
            accepted += reason_of(keys_with(), changed.decode("latin-1")) is None

    assert (accepted, tried > 15_000) == (0, True)


def revoked(*numbers: int) -> Keys:
    return {kid: Key(key.public, until_us=0, is_revoked=True) for kid, key in keys_of(*numbers).items()}


def test_r6_a_checkpoint_under_a_key_that_was_revoked_counts_for_nothing() -> None:
    old, both = LOG.note(a_signer(1)), LOG.note(a_signer(1), a_signer(2))

    with pytest.raises(VerificationError, match="KEY_REVOKED"):
        verify_checkpoint(old, Log(ORIGIN, {**revoked(1), **keys_of(2)}))
    assert verify_checkpoint(both, Log(ORIGIN, {**revoked(1), **keys_of(2)})).signed_by == ("key-2",)


def test_r6_a_checkpoint_under_a_key_that_was_replaced_counts_for_ever() -> None:
    keys = {kid: Key(key.public, since_us=1, until_us=2) for kid, key in keys_of(1).items()}

    assert verify_checkpoint(LOG.note(a_signer(1)), Log(ORIGIN, keys)).size == 9


def test_r6_a_revoked_key_of_the_log_is_no_obstacle_to_one_with_the_same_four_bytes() -> None:
    stolen = {"stolen": Key(keys_of(1)["key-1"].public, until_us=0, is_revoked=True)}

    assert verify_checkpoint(LOG.note(), Log(ORIGIN, {**stolen, **keys_of(1)})).signed_by == ("key-1",)
