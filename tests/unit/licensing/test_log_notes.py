"""Heads of the log as signed notes, in the formats of C2SP, with the examples published there."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.chassis.refusals import Kind, Refusal
from services.licensing.domain.log.notes import (
    Checkpoint,
    NoteSigner,
    key_id,
    parse_checkpoint,
    parse_note,
    signed_note,
)
from services.licensing.domain.merkle import EMPTY_ROOT
from tests.support.logs import ORIGIN, a_signer

ROOT = bytes(range(32))
ROOT_LINE = base64.b64encode(ROOT).decode()
TEXT = f"{ORIGIN}\n7\n{ROOT_LINE}\n"

# The key and the note of the tests of golang.org/x/mod/sumdb/note, from which the format comes.
GO_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
GO_PUBLIC = base64.b64decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")[1:]
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
)
GO_NOTE = (
    f"{GO_TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXg"
    "KvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
# The example of https://c2sp.org/tlog-checkpoint.
C2SP_CHECKPOINT = """\
example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
"""  # noqa: E501 - a line of the format


def test_the_published_note_is_reproduced_to_the_byte() -> None:
    key = Ed25519PrivateKey.from_private_bytes(GO_SEED)

    note = signed_note(GO_TEXT, [NoteSigner("PeterNeumann", GO_PUBLIC, key.sign)])

    assert note == GO_NOTE.encode()
    assert key_id("PeterNeumann", GO_PUBLIC).hex() == "c74f20a3"


def test_the_published_checkpoint_is_read() -> None:
    note = parse_note(C2SP_CHECKPOINT.encode())

    checkpoint = parse_checkpoint(note.text)

    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20_852_163)
    assert checkpoint.text() == note.text
    assert [(line.name, len(line.signature)) for line in note.signatures] == [(checkpoint.origin, 64)]


def test_what_is_signed_is_the_text_with_its_last_newline_and_without_the_empty_line() -> None:
    signer = a_signer()

    note = parse_note(signed_note(TEXT, [signer]))

    line = note.signatures[0]
    assert (note.text, line.name, line.key_id) == (TEXT, ORIGIN, key_id(ORIGIN, signer.public_key))
    Ed25519PublicKey.from_public_bytes(signer.public_key).verify(line.signature, TEXT.encode())


def test_several_keys_sign_in_order() -> None:
    note = parse_note(signed_note(TEXT, [a_signer(1), a_signer(2), a_signer(3, "witness.example")]))

    assert [line.name for line in note.signatures] == [ORIGIN, ORIGIN, "witness.example"]
    assert len({line.key_id for line in note.signatures}) == 3


def test_a_checkpoint_is_written_as_the_specification_has_it() -> None:
    assert Checkpoint(ORIGIN, 7, ROOT).text() == TEXT
    assert Checkpoint(ORIGIN, 7, ROOT, ("more", "and more")).text() == f"{TEXT}more\nand more\n"
    assert parse_checkpoint(f"{TEXT}more\nand more\n").extensions == ("more", "and more")
    assert parse_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT).text()).root == EMPTY_ROOT


def test_a_text_may_have_empty_lines() -> None:
    text = "a\n\nb\n\n"

    assert parse_note(signed_note(text, [a_signer()])).text == text


@pytest.mark.parametrize(
    "checkpoint",
    [
        Checkpoint("", 7, ROOT),
        Checkpoint("two\nlines", 7, ROOT),
        Checkpoint("a\ttab", 7, ROOT),
        Checkpoint(ORIGIN, -1, ROOT),
        Checkpoint(ORIGIN, 0, ROOT),
        Checkpoint(ORIGIN, 7, ROOT[1:]),
        Checkpoint(ORIGIN, 7, ROOT, ("",)),
        Checkpoint(ORIGIN, 7, ROOT, ("two\nlines",)),
    ],
)
def test_what_could_not_be_read_again_is_not_written(checkpoint: Checkpoint) -> None:
    with pytest.raises(Refusal) as caught:
        checkpoint.text()

    assert (caught.value.kind, caught.value.reason) == (Kind.INVALID, "CHECKPOINT_MALFORMED")


@pytest.mark.parametrize(
    "text",
    [
        *("", "\n", TEXT[:-1], f"{TEXT}\n", f"\n{TEXT}", TEXT.replace("\n7\n", "\n07\n")),
        *(
            TEXT.replace("\n7\n", f"\n{size}\n")
            for size in ("-7", "+7", " 7", "7 ", "\u0667", "7.0", "0x7", "")
        ),
        *(TEXT.replace("=\n", end) for end in ("\n", "==\n", " \n", "=")),
        TEXT.replace(ROOT_LINE, ROOT_LINE[:-2] + "9="),
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("\n7\n", f"\n{'9' * 21}\n"),
        TEXT.replace("\n7\n", "\n0\n"),
        "\n".join(TEXT.split("\n")[1:]),
    ],
)
def test_a_checkpoint_in_any_other_form_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse_checkpoint(text)

    assert caught.value.reason == "CHECKPOINT_MALFORMED"


@pytest.mark.parametrize(
    "note",
    [
        *("", "\n", GO_TEXT, f"{GO_TEXT}\n", GO_NOTE[:-1], f"{GO_NOTE}\n", GO_NOTE.replace("\n\n", "\n")),
        *(GO_NOTE.replace("— Peter", other) for other in ("- Peter", "—Peter", "—  Peter", "Peter", "— P ")),
        *(GO_NOTE.replace("Neumann", f"Neu{odd}mann") for odd in ("+", " ", "\xa0", "\t", "\r", "\0")),
        *(GO_NOTE.replace("nAM=", end) for end in ("nAM", "nAN=", "nAM= ", "n_M=", "nAM==")),
        *(GO_NOTE.replace(GO_NOTE.rpartition(" ")[2], f"{bare}\n") for bare in ("", "x08go", "x08gow==")),
        GO_NOTE.replace("problem", "prob\x07lem"),
        "a" * (1 << 20) + GO_NOTE,
        f"\n\n{GO_NOTE.rpartition(chr(10) * 2)[2]}",
    ],
)
def test_a_note_in_any_other_form_is_refused(note: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse_note(note.encode())

    assert caught.value.reason == "NOTE_MALFORMED"


def test_a_note_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(Refusal) as caught:
        parse_note(GO_NOTE.encode("utf-16"))

    assert caught.value.reason == "NOTE_MALFORMED"


@pytest.mark.parametrize("name", ["", "two words", "a+b", "a\nb", "non\u2003breaking"])
def test_a_key_whose_name_is_none_signs_nothing(name: str) -> None:
    with pytest.raises(Refusal) as caught:
        signed_note(TEXT, [a_signer(name=name)])

    assert caught.value.reason == "NOTE_MALFORMED"


@pytest.mark.parametrize("text", ["", "no end", "a\n\nno end", "bell\x07\n"])
def test_what_is_no_text_of_a_note_is_not_signed(text: str) -> None:
    with pytest.raises(Refusal) as caught:
        signed_note(text, [a_signer()])

    assert caught.value.reason == "NOTE_MALFORMED"


def test_a_note_is_signed_by_somebody() -> None:
    with pytest.raises(Refusal) as caught:
        signed_note(TEXT, [])

    assert caught.value.reason == "NOTE_MALFORMED"
