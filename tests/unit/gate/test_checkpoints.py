"""Checkpoints, offline (R2, R3): what a key of the log signed about this log is believed, nothing else."""

import base64
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Refusal
from services.licensing.domain.log.notes import Checkpoint, key_id, parse_checkpoint, parse_note, signed_note
from sluice_gate.errors import VerificationError
from sluice_gate.verifying.checkpoints import Log, verify_checkpoint, verify_growth
from sluice_gate.verifying.keys import Key
from tests.support.logs import ORIGIN, ALog, Definition, a_signer, keys_of, some_leaves, the_log

LEAVES = some_leaves(40)
LOG = ALog(LEAVES)
TEXT = Checkpoint(ORIGIN, 40, LOG.root(40)).text()
ROOT_LINE = TEXT.split("\n")[2]


def reason_of(note: bytes, log: Log | None = None) -> str:
    with pytest.raises(VerificationError) as caught:
        verify_checkpoint(note, log or the_log())
    return caught.value.reason


def signed(text: str) -> bytes:
    return signed_note(text, [a_signer()])


def test_what_the_log_signed_is_read() -> None:
    checkpoint = verify_checkpoint(LOG.note(), the_log())

    assert (checkpoint.origin, checkpoint.size, checkpoint.root) == (ORIGIN, 40, LOG.root(40))
    assert (checkpoint.extensions, checkpoint.signed_by) == ((), ("key-1",))


def test_a_note_that_another_implementation_signed_has_a_signature_that_holds() -> None:
    # Of the tests of golang.org/x/mod/sumdb/note. Signed it is; a checkpoint it is not.
    public = base64.b64decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")[1:]
    log = Log("PeterNeumann", {"go": Key(Ed25519PublicKey.from_public_bytes(public))})
    note = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFup"
        "LLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    ).encode()

    assert reason_of(note, log) == "CHECKPOINT_MALFORMED"
    assert reason_of(note.replace(b"answer", b"Answer"), log) == "SIGNATURE_WRONG"


def test_an_empty_log_has_a_checkpoint_too() -> None:
    assert verify_checkpoint(LOG.note(size=0), the_log()).size == 0


def test_lines_that_others_may_understand_are_handed_on() -> None:
    note = signed(f"{TEXT}one more\nand another — with a dash\n")

    assert verify_checkpoint(note, the_log()).extensions == ("one more", "and another — with a dash")


def test_an_older_key_of_the_log_verifies_what_it_signed_R6() -> None:  # noqa: N802
    note = LOG.note(a_signer(1), a_signer(2))

    assert verify_checkpoint(note, the_log(1)).signed_by == ("key-1",)
    assert verify_checkpoint(note, the_log(2)).signed_by == ("key-2",)
    assert verify_checkpoint(note, the_log(2, 1)).signed_by == ("key-1", "key-2")


def test_signatures_of_others_are_neither_needed_nor_looked_at() -> None:
    strangers = (a_signer(7), a_signer(1, "witness.example"), a_signer(8, "witness.example"))

    assert verify_checkpoint(LOG.note(*strangers, a_signer()), the_log()).signed_by == ("key-1",)
    assert reason_of(LOG.note(*strangers)) == "KEY_UNKNOWN"


def test_a_longer_signature_of_another_algorithm_is_one_of_others() -> None:
    line = f"— {ORIGIN} {base64.b64encode(b'mldsa' * 900).decode()}\n".encode()

    assert verify_checkpoint(LOG.note() + line, the_log()).size == 40


def test_sixteen_signatures_and_more_are_accepted() -> None:
    witnesses = [a_signer(number, f"witness-{number}.example") for number in range(2, 40)]

    assert verify_checkpoint(LOG.note(*witnesses, a_signer()), the_log()).signed_by == ("key-1",)


def test_a_wrong_signature_under_a_key_of_the_log_refuses_the_note_whatever_else_is_right() -> None:
    other_text = LOG.note(a_signer(2), size=39).rpartition(b"\n\n")[2]

    assert reason_of(LOG.note(a_signer(1)) + other_text, the_log(1, 2)) == "SIGNATURE_WRONG"
    assert verify_checkpoint(LOG.note(a_signer(1)) + other_text, the_log(1)).size == 40


def test_a_key_of_the_log_with_the_same_four_bytes_as_another_is_no_obstacle() -> None:
    colliding = Log(ORIGIN, {"same": keys_of(1)["key-1"], **keys_of(2, 1)})

    assert verify_checkpoint(LOG.note(), colliding).signed_by == ("same",)


def test_what_another_key_signed_under_the_id_of_the_log_is_wrong() -> None:
    signer, stranger = a_signer(1), a_signer(9)
    forged = key_id(ORIGIN, signer.public_key) + stranger.sign(TEXT.encode())

    note = f"{TEXT}\n— {ORIGIN} {base64.b64encode(forged).decode()}\n".encode()

    assert reason_of(note) == "SIGNATURE_WRONG"


def test_a_checkpoint_of_another_log_of_the_same_key_is_not_this_ones() -> None:
    other = Checkpoint("platform.example/other", 40, LOG.root(40)).text()

    assert reason_of(signed(other)) == "ORIGIN_DIFFERS"
    assert reason_of(signed_note(other, [a_signer(name="platform.example/other")])) == "KEY_UNKNOWN"


@pytest.mark.parametrize(
    "text",
    [
        *("\n", f"{ORIGIN}\n40\n", f"\n{TEXT}", f"{TEXT}\n", f"{TEXT}\nmore\n"),
        *(
            TEXT.replace("\n40\n", f"\n{size}\n")
            for size in ("040", "-40", "+40", "4 0", "4_0", "\u0664", "")
        ),
        TEXT.replace("\n40\n", f"\n{'9' * 21}\n"),
        TEXT.replace("\n40\n", "\n0\n"),
        TEXT.replace(ROOT_LINE, base64.b64encode(bytes(31)).decode()),
    ],
)
def test_what_was_signed_and_is_no_checkpoint_is_refused(text: str) -> None:
    content, signer = text.encode(), a_signer()
    signature = key_id(ORIGIN, signer.public_key) + signer.sign(content)
    line = f"— {ORIGIN} {base64.b64encode(signature).decode()}\n"

    assert reason_of(content + f"\n{line}".encode()) == "CHECKPOINT_MALFORMED"


@pytest.mark.parametrize(
    "note",
    [
        *(b"", b"\n", TEXT.encode(), LOG.note()[:-1], LOG.note() + b"\n", b"\xff" + LOG.note()),
        *(LOG.note().replace(b"\n\n", other) for other in (b"\n", b"\n \n", b"\n\r\n")),
        *(LOG.note().replace(b"\n40", other) for other in (b"\r\n40", b"\n\x0040", b"\n\t40")),
        LOG.note().replace("— ".encode(), b"- "),
        LOG.note().replace("— ".encode(), "—\xa0".encode()),
        LOG.note() + "— two words AAAAAAAA\n".encode(),
        LOG.note() + "— short AAAA\n".encode(),
        LOG.note() + "— plus+ AAAAAAAA\n".encode(),
        b"a" * (1 << 20) + LOG.note(),
    ],
)
def test_what_is_no_signed_note_is_refused(note: bytes) -> None:
    assert reason_of(note) == "NOTE_MALFORMED"


@pytest.mark.parametrize("line", ["AAAAAAB=", "AAAAAAA", "A", "AAAAAAAA="])
def test_a_signature_in_another_form_of_base64_is_refused(line: str) -> None:
    assert reason_of(LOG.note() + f"— witness.example {line}\n".encode()) == "NOT_CANONICAL"


PIECES = [
    "\n",
    "\n",
    ORIGIN,
    "40",
    "0",
    "7",
    ROOT_LINE,
    "\N{EM DASH} ",
    " ",
    "=",
    "a",
    "\x85",
    "\u2028",
    "\r",
    "\0",
]


# Random pieces alone would rarely come to a checkpoint.
texts = st.builds(
    lambda before, after: "".join([*before, TEXT, *after]),
    st.lists(st.sampled_from(PIECES), max_size=2),
    st.lists(st.sampled_from(PIECES), max_size=6),
)


@given(texts | st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_both_implementations_read_the_same_texts_as_the_same_checkpoints(text: str) -> None:
    signature = base64.b64encode(key_id(ORIGIN, a_signer().public_key) + a_signer().sign(text.encode()))
    note = f"{text}\n— {ORIGIN} {signature.decode()}\n".encode()

    theirs = licensing_reads(note)

    if theirs is None or theirs.origin != ORIGIN:
        assert not is_believed(note)
    else:
        ours = verify_checkpoint(note, the_log())
        assert (ours.origin, ours.size, ours.root, ours.extensions) == (
            theirs.origin,
            theirs.size,
            theirs.root,
            theirs.extensions,
        )


def licensing_reads(note: bytes) -> Checkpoint | None:
    try:
        return parse_checkpoint(parse_note(note).text)
    except Refusal:
        return None


def mutated(note: bytes) -> Iterator[bytes]:
    """The note with one bit or byte changed, one byte or line gone, doubled or exchanged, or its end gone."""
    for place in range(len(note)):
        before, byte, after = note[:place], note[place], note[place + 1 :]
        yield before + after
        yield before + note[place : place + 1] * 2 + after
        yield from (before + bytes([byte ^ 1 << bit]) + after for bit in range(8))
        yield from (
            before + odd + after for odd in (b" ", b"\n", b"0", b"A", b"\0") if odd != note[place : place + 1]
        )
        yield before
    lines = note.splitlines(keepends=True)
    for one in range(len(lines)):
        yield b"".join(lines[:one] + lines[one + 1 :])
        yield b"".join(lines[: one + 1] + lines[one:])
        for two in range(one):
            lines[one], lines[two] = lines[two], lines[one]
            yield b"".join(lines)
            lines[one], lines[two] = lines[two], lines[one]


def test_no_changed_checkpoint_is_believed_R3() -> None:  # noqa: N802
    accepted = tried = 0
    for size in (0, 1, 9, 40):
        note = LOG.note(size=size)
        for changed in mutated(note):
            # A signature line that is there twice is still the log's, of the same text.
            if changed != note + note.splitlines(keepends=True)[-1]:
                tried += 1
                accepted += is_believed(changed)

    assert (accepted, tried > 10_000) == (0, True)


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: f"{text}\n\n— a b\n".encode()))
def test_whatever_comes_is_refused_with_a_reason(note: bytes) -> None:
    assert not is_believed(note)


def is_believed(note: bytes) -> bool:
    try:
        verify_checkpoint(note, the_log())
    except VerificationError:
        return False
    return True


def test_a_log_that_has_grown_is_shown_to_hold_what_it_held() -> None:
    older, newer = LOG.note(size=13), LOG.note()

    before, after = verify_growth(older, newer, LOG.consistency(13, 40), the_log())

    assert (before.size, after.size, after.root) == (13, 40, LOG.root(40))


def test_a_log_that_shrank_stood_still_with_another_root_or_forked_has_not_grown() -> None:
    forked = ALog([b"other", *LEAVES[1:]])
    proof = LOG.consistency(13, 40)

    for older, newer, hashes in (
        (LOG.note(), LOG.note(size=13), proof),
        (LOG.note(), forked.note(), []),
        (LOG.note(size=13), forked.note(), proof),
        (LOG.note(size=13), forked.note(), forked.consistency(13, 40)),
        (LOG.note(size=13), LOG.note(size=39), proof),
        (LOG.note(size=0), LOG.note(), []),
        (LOG.note(size=13), LOG.note(), proof[:-1]),
    ):
        with pytest.raises(VerificationError) as caught:
            verify_growth(older, newer, hashes, the_log())
        assert caught.value.reason == "CONSISTENCY_WRONG"


def test_a_checkpoint_that_was_not_signed_takes_no_part_in_growth() -> None:
    forged = LOG.note(a_signer(9))

    for older, newer in ((forged, LOG.note()), (LOG.note(size=13), forged)):
        with pytest.raises(VerificationError) as caught:
            verify_growth(older, newer, LOG.consistency(13, 40), the_log())
        assert caught.value.reason == "KEY_UNKNOWN"


def test_the_root_of_the_definition_is_what_the_log_signs() -> None:
    assert verify_checkpoint(LOG.note(size=13), the_log()).root == Definition(LEAVES).mth(0, 13)
