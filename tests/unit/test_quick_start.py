"""Pages are run as they are printed: in one shell, in order, up to the first command that fails."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from services.chassis.ids import check_request_id
from tests.support.quick_start import blocks, run_page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "partners.md"
HERE = {"PATH": os.environ["PATH"]}


def a_page(folder: Path, *fenced: str) -> Path:
    page = folder / "page.md"
    page.write_text(
        "# A page\n" + "\nAnd then:\n\n".join(f"```{each}\n```\n" for each in fenced), encoding="utf-8"
    )
    return page


def test_what_a_block_has_set_is_there_in_the_next(tmp_path: Path) -> None:
    page = a_page(tmp_path, "sh run\nNAME=ada", "sh\nexit 3", 'sh run\necho "$NAME $PLACE"')

    assert run_page(page, tmp_path, HERE | {"PLACE": "here"}) == ["\n", "ada here\n\n"]


def test_what_somebody_else_is_to_run_is_run_for_them_alone(tmp_path: Path) -> None:
    page = a_page(tmp_path, "sh run\necho partner", "sh platform\necho platform")

    assert run_page(page, tmp_path, HERE) == ["partner\n\n"]
    assert run_page(page, tmp_path, HERE, "platform") == ["platform\n\n"]


def test_a_folder_may_be_named_from_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = a_page(tmp_path, "sh run\npwd")
    monkeypatch.chdir(tmp_path)
    Path("runs").mkdir()

    assert run_page(page, Path("runs"), HERE) == [f"{tmp_path}/runs\n\n"]


def test_a_file_of_the_page_is_there_to_be_run(tmp_path: Path) -> None:
    page = a_page(tmp_path, "python hello.py\nprint('hello')", "sh run\npython3 hello.py")

    assert run_page(page, tmp_path, HERE) == ["hello\n\n"]


@pytest.mark.parametrize("command", ["false | true", 'echo "$UNSET_ANYWHERE"', "ls nowhere"])
def test_the_first_that_fails_ends_it_and_is_shown(tmp_path: Path, command: str) -> None:
    page = a_page(tmp_path, "sh run\necho first", f"sh run\necho second\n{command}", "sh run\ntouch third")

    with pytest.raises(AssertionError) as failed:
        run_page(page, tmp_path, HERE)

    assert command in str(failed.value)
    assert "second\n" in str(failed.value)
    assert not (tmp_path / "third").exists()


def test_the_shell_sees_the_environment_that_is_given_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_SECRET", "leaks")

    assert run_page(a_page(tmp_path, "sh run\necho ${SLUICE_SECRET:-none}"), tmp_path, HERE) == ["none\n\n"]


def test_all_that_partners_are_shown_is_good_shell_and_good_python(tmp_path: Path) -> None:
    told = blocks(PAGE)

    for block in told:
        if block.file:
            compile(block.text, block.file, "exec")
            lines = [line for line in block.text.splitlines() if line]
            assert len(lines) <= 20
        elif block.info.startswith("sh"):
            subprocess.run(["bash", "-n"], input=block.text, text=True, check=True)
    assert sum(block.is_for("run") for block in told) >= 9
    assert sum(block.is_for("platform") for block in told) == 3


def test_the_id_that_partners_are_shown_how_to_make_is_a_uuid7_of_now(tmp_path: Path) -> None:
    making = next(block.text for block in blocks(PAGE) if "uuid7()" in block.text)
    function = making.partition("REQUEST_ID=")[0]
    page = a_page(tmp_path, f"sh run\n{function}uuid7")

    made = run_page(page, tmp_path, HERE)[0].strip()

    check_request_id(made, time.time_ns() // 1_000)
