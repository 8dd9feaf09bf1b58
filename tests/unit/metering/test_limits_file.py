"""The file of limits is followed while calls are served; a wrong one never takes the place of a good one."""

import os
import time
from pathlib import Path

import pytest
import yaml
from prometheus_client import REGISTRY

from services.chassis.refusals import Refusal
from services.metering.domain.rates.limits import RateLimit
from services.metering.limits_file import LimitsFile

LINE = "domain: gateway\ndescriptors:\n  - {key: kind, rate_limit: {unit: second, requests_per_unit: %s}}\n"


def write(file: Path, text: str) -> None:
    draft = file.with_suffix(".draft")
    draft.write_text(text)
    draft.replace(file)


def calls(file: LimitsFile) -> int:
    found = file.limits().find("gateway", (("kind", "agent"),))
    assert isinstance(found, RateLimit)
    return found.calls


def is_good() -> bool:
    return REGISTRY.get_sample_value("sluice_limits_file_good") == 1


async def test_what_is_written_into_the_file_holds_from_the_next_look_on(tmp_path: Path) -> None:
    path = tmp_path / "limits.yaml"
    write(path, LINE % 1)
    file = LimitsFile(path, interval_seconds=1)

    write(path, LINE % 7)
    await file.refresh()

    assert calls(file) == 7


@pytest.mark.parametrize(
    "wrong",
    [
        "domain: [",
        LINE % -1,
        "",
        "\x00",
        "domain: 2026-13-45",
        "domain: !!int five",
        "domain: !!float five",
        "domain: !!bool perhaps",
        "domain: !!timestamp today",
        "domain: " + "1" * 5_000,
        "? [a]\n: 1\n",
        "domain: gateway\n<<: 3\n",
        "domain: gateway\ndescriptors: &all [*all]\n",
    ],
)
async def test_a_file_that_becomes_wrong_keeps_the_limits_before_it_until_it_is_mended(
    tmp_path: Path, wrong: str
) -> None:
    path = tmp_path / "limits.yaml"
    write(path, LINE % 1)
    file = LimitsFile(path, interval_seconds=1)

    write(path, wrong)
    await file.refresh()
    kept, was_good = calls(file), is_good()
    write(path, LINE % 2)
    await file.refresh()

    assert (kept, was_good) == (1, False)
    assert (calls(file), is_good()) == (2, True)


async def test_a_file_that_is_gone_keeps_the_limits_before_it(tmp_path: Path) -> None:
    path = tmp_path / "limits.yaml"
    write(path, LINE % 1)
    file = LimitsFile(path, interval_seconds=1)

    path.unlink()
    await file.refresh()

    assert calls(file) == 1
    assert not is_good()


def test_nothing_is_served_from_a_file_that_is_wrong_or_missing_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "limits.yaml"
    with pytest.raises(Refusal, match="LIMITS_FILE_UNREADABLE"):
        LimitsFile(path, interval_seconds=1)
    write(path, LINE % "lots")

    with pytest.raises(Refusal, match="requests_per_unit is a whole number"):
        LimitsFile(path, interval_seconds=1)


def test_looking_for_a_name_that_comes_twice_costs_less_than_reading_the_file(tmp_path: Path) -> None:
    path = tmp_path / "limits.yaml"
    text = "{" + ", ".join(f"k{number}: 1" for number in [*range(20_000), 7]) + "}"
    write(path, text)
    began = time.process_time()
    yaml.safe_load(text)
    reading = time.process_time() - began

    with pytest.raises(Refusal, match="says k7 twice"):
        LimitsFile(path, interval_seconds=1)

    # To look through all others for each would take a thousand times as long; a busy machine takes a few.
    assert time.process_time() - began - reading < 10 * reading


def test_a_file_that_never_ends_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "limits.yaml"
    write(path, "")
    os.truncate(path, 5 * 2**20)

    with pytest.raises(Refusal, match="larger than 4 MiB"):
        LimitsFile(path, interval_seconds=1)
