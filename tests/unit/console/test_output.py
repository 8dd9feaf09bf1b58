"""What a command logs goes beside its answers, and tells nobody what it knows."""

import pytest
import structlog

from services.console.output import log_beside

TOKEN = 3 * "secret"


def ask(token: str) -> None:
    raise ValueError(len(token))


def test_a_defect_is_logged_beside_the_answer_without_what_the_variables_were(
    capsys: pytest.CaptureFixture[str],
) -> None:
    # As a program begins.
    structlog.reset_defaults()
    log_beside()
    try:
        ask(TOKEN)
    except ValueError:
        structlog.get_logger().exception("it goes on without", method="Release")

    answer, logged = capsys.readouterr()
    assert answer == ""
    assert "it goes on without" in logged
    assert f"ValueError: {len(TOKEN)}" in logged
    assert TOKEN not in logged


def test_what_is_no_warning_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    log_beside()

    structlog.get_logger().info("it went well")

    assert capsys.readouterr() == ("", "")
