"""`sluice gateway limits check`: a file is good where metering's own program finds it good."""

from pathlib import Path

from tests.support.command_line import Cli
from tests.support.rate_limits import YAML


def test_a_good_file_is_listed_limit_by_limit(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "limits.yaml"
    file.write_text(YAML)

    said = cli("gateway", "limits", "check", file)
    listed = cli.json("gateway", "limits", "check", file)

    assert "holds good limits for the domain gateway." in said
    assert "principal/method=/a/Slow" in said
    assert "unlimited" in said
    assert listed["limits"][0] == {
        "descriptor": "principal",
        "name": "one caller",
        "calls": 2,
        "unit": "second",
        "shadow": False,
    }


def test_a_wrong_file_is_refused_with_the_part_at_fault(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "limits.yaml"
    file.write_text(YAML.replace("unit: minute", "unit: month", 1))

    refusal = cli.refusal("gateway", "limits", "check", file)

    assert refusal["reason"] == "LIMITS_FILE_INVALID"
    assert refusal["message"].startswith("descriptors[0].descriptors[0].rate_limit.unit is one of second,")


def test_limits_without_the_gateway_that_they_are_of_are_refused(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "limits.yaml"
    file.write_text(YAML)

    refusal = cli.refusal("up", "--port-base", "0", "--limits", file)

    assert refusal["reason"] == "GATEWAY_NOT_ASKED"
    assert "--gateway" in refusal["message"]
