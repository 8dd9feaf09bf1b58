"""A copy of the whole log, computed again from its leaves (R2)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sluice_gate.errors import VerificationError
from sluice_gate.verifying.tiles import recomputed_root, verify_kept, verify_log_folder
from tests.support.logs import ALog, Definition, a_signer, some_leaves, the_log

LEAVES = some_leaves(66_000)
LOG = ALog(LEAVES, at_once=10_000)


def reason_of(folder: Path) -> str:
    with pytest.raises(VerificationError) as caught:
        verify_log_folder(folder, the_log())
    return caught.value.reason


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 511, 512, 700])
def test_the_root_of_a_folder_is_that_of_the_definition(size: int, tmp_path: Path) -> None:
    log = ALog(LEAVES[:size])

    checkpoint = verify_log_folder(log.write(tmp_path), the_log())

    assert checkpoint.root == Definition(LEAVES[:size]).mth(0, size)


def test_three_levels_of_tiles_are_computed_again(tmp_path: Path) -> None:
    folder = LOG.write(tmp_path)

    assert verify_log_folder(folder, the_log()).size == 66_000
    assert (folder / "tile/2/000.p/1").exists()


def test_an_earlier_root_is_computed_from_a_later_copy_where_full_tiles_took_the_place_of_partial_ones(
    tmp_path: Path,
) -> None:
    folder = LOG.write(tmp_path)

    for size in (1, 100, 256, 300, 512, 65_500, 65_536):
        assert recomputed_root(folder, size) == LOG.root(size)
    with pytest.raises(FileNotFoundError):
        recomputed_root(folder, 65_900)


def test_a_flipped_bit_in_any_tile_is_found(tmp_path: Path) -> None:
    folder = ALog(LEAVES[:700]).write(tmp_path)
    found = set()

    for path in sorted(folder.rglob("tile/**/*")):
        if path.is_file():
            content = path.read_bytes()
            for place in range(0, len(content), 797):
                path.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
                found.add(reason_of(folder))
            path.write_bytes(content)

    assert found == {"ROOT_DIFFERS", "TILE_DIFFERS"}
    assert verify_log_folder(folder, the_log()).size == 700


def shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + bytes(32))


@pytest.mark.parametrize("damage", [shorten, lengthen])
@pytest.mark.parametrize("tile", ["tile/0/001", "tile/0/002.p/188", "tile/1/000.p/2"])
def test_a_tile_that_has_not_its_length_is_refused(
    tile: str, damage: Callable[[Path], None], tmp_path: Path
) -> None:
    folder = ALog(LEAVES[:700]).write(tmp_path)
    damage(folder / tile)

    assert reason_of(folder) == "TILE_MALFORMED"


def test_leaves_in_another_order_are_another_log(tmp_path: Path) -> None:
    folder = ALog(LEAVES[:700]).write(tmp_path)
    one, two = folder / "tile/0/000", folder / "tile/0/001"
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)

    assert reason_of(folder) in {"TILE_DIFFERS", "ROOT_DIFFERS"}


def test_a_missing_tile_and_a_missing_checkpoint_are_missing_files(tmp_path: Path) -> None:
    folder = ALog(LEAVES[:700]).write(tmp_path)
    (folder / "tile/0/001").unlink()

    with pytest.raises(FileNotFoundError):
        verify_log_folder(folder, the_log())
    with pytest.raises(FileNotFoundError):
        verify_log_folder(tmp_path / "nowhere", the_log())


def test_a_checkpoint_of_a_stranger_makes_no_log_of_a_folder(tmp_path: Path) -> None:
    log = ALog(LEAVES[:700])

    assert reason_of(log.write(tmp_path, a_signer(9))) == "KEY_UNKNOWN"


def test_paths_of_many_tiles_are_found_where_licensing_puts_them(tmp_path: Path) -> None:
    # 1,001 full tiles: the first index that takes a second group of digits.
    log = ALog()
    log.grow(some_leaves(1001 * 256))
    folder = log.write(tmp_path)

    assert (folder / "tile/0/x001/000").exists()
    assert recomputed_root(folder, log.size) == log.root(log.size)


@pytest.mark.parametrize("kept", [1, 255, 256, 257, 600, 700])
def test_an_earlier_checkpoint_is_computed_from_any_later_copy(kept: int, tmp_path: Path) -> None:
    log = ALog(LEAVES[:700])
    shown = verify_log_folder(log.write(tmp_path), the_log())

    assert verify_kept(tmp_path, shown, log.note(size=kept), the_log()).size == kept


def test_a_copy_whose_earlier_leaves_are_others_is_told(tmp_path: Path) -> None:
    shown = verify_log_folder(ALog([b"other", *LEAVES[1:700]]).write(tmp_path), the_log())

    with pytest.raises(VerificationError) as caught:
        verify_kept(tmp_path, shown, ALog(LEAVES[:300]).note(), the_log())

    assert caught.value.reason == "HISTORY_DIFFERS"
