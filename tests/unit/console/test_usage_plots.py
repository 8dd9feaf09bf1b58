"""`sluice usage plot`: what is drawn, and against which limit."""

import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from services.chassis.refusals import Refusal, not_found
from services.console import plots
from services.console.limits import allowed
from services.console.moments import from_us, read
from sluice.licensing.v1.contract_service_pb2 import GetLicenseResponse
from sluice.licensing.v1.license_pb2 import AllowanceSubject, License, LicenseAllowance, LicenseTerms
from sluice.metering.v1 import usage_service_pb2 as pb
from sluice.metering.v1.usage_pb2 import Peak
from sluice.type.v1 import window_pb2
from sluice.type.v1.revision_pb2 import Revision
from tests.support.command_line import Cli
from tests.support.scripted import Script

NOON_US = read("2026-01-31T12:00:00Z").ToMicroseconds()
HOUR_US = 3_600_000_000
PNG = b"\x89PNG\r\n\x1a\n"
SVG = "{http://www.w3.org/2000/svg}"
ARGUMENTS = ("--party", "acme")


def peaks(*posts: int) -> pb.MaxWindowResponse:
    """A part an hour, from noon; each is fullest a minute after its beginning."""
    answer = pb.MaxWindowResponse(revision=Revision(epoch=1, number=7))
    for number, count in enumerate(posts):
        begin_us = NOON_US + number * HOUR_US
        peak = Peak(since=from_us(begin_us), until=from_us(begin_us + HOUR_US), posts=count)
        if count:
            peak.at.FromMicroseconds(begin_us + 60_000_000)
        answer.peaks.append(peak)
    return answer


def a_license(*allowances: tuple[AllowanceSubject, window_pb2.Window, int]) -> License:
    terms = [LicenseAllowance(per=per, window=window, limit=limit) for per, window, limit in allowances]
    return License(license_id="acme-training", terms=LicenseTerms(allowances=terms))


ITS_LIMITS = a_license(
    (AllowanceSubject.ALLOWANCE_SUBJECT_LICENSEE, window_pb2.WINDOW_ROLLING_DAY, 5),
    (AllowanceSubject.ALLOWANCE_SUBJECT_LICENSE, window_pb2.WINDOW_SECOND, 10),
    (AllowanceSubject.ALLOWANCE_SUBJECT_LICENSE, window_pb2.WINDOW_ROLLING_DAY, 1_000_000),
)


def words(picture: Path) -> list[str]:
    """The words in an SVG."""
    return ["".join(text.itertext()) for text in ElementTree.parse(picture).iter(f"{SVG}text")]


def drawn(folder: Path, posts: list[int], limit: int | None) -> list[str]:
    """The words in the picture of an hour for each number."""
    edges = [NOON_US + number * HOUR_US for number in range(len(posts) + 1)] if posts else []
    peak_us = NOON_US + posts.index(max(posts)) * HOUR_US if any(posts) else None
    plots.draw(plots.Plot("Posts of party acme", edges, posts, peak_us, limit), folder / "out.svg")
    return words(folder / "out.svg")


@pytest.mark.parametrize(
    ("name", "begins"), [("out.png", PNG), ("OUT.PNG", PNG), ("out.svg", b"<?xml version")]
)
def test_the_form_of_a_picture_is_in_its_name(
    script: Script, cli: Cli, tmp_path: Path, name: str, begins: bytes
) -> None:
    script.answer("MaxWindow", peaks(3, 5))

    said = cli("usage", "plot", tmp_path / name, *ARGUMENTS)

    assert (tmp_path / name).read_bytes().startswith(begins)
    assert said == (
        f"Wrote {tmp_path / name}. The fullest window of 24 hours of party acme holds 5 posts and ends at"
        " 2026-01-31 13:01:00.000000 UTC.\n"
    )
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [name]


def test_a_picture_says_whose_posts_it_shows_and_when_they_were_most(
    script: Script, cli: Cli, tmp_path: Path
) -> None:
    script.answer("MaxWindow", peaks(800_000, 1_234_567, 10))

    out = tmp_path / "out.svg"
    cli("usage", "plot", out, "--group", "acme-group", "--window", "1m", "--limit", "1000000")

    said = words(out)
    for text in (
        "Posts of group acme-group in any window of 1 minute",
        "1,234,567 posts at 2026-01-31 13:01:00.000 UTC",
        "limit: 1,000,000 posts",
        "80 % of it: 800,000 posts",
        "1,000,000",
        "end of the window (UTC), 2026-01-31 12:00:00.000 to 2026-01-31 15:00:00.000",
    ):
        assert text in said
    (asked,) = script.asked["MaxWindow"]
    assert (asked.parts, asked.window.ToMicroseconds()) == (400, 60_000_000)


def test_the_same_is_drawn_the_same(tmp_path: Path) -> None:
    drawn(tmp_path, [1, 2], 3)
    first = (tmp_path / "out.svg").read_bytes()

    drawn(tmp_path, [1, 2], 3)

    assert (tmp_path / "out.svg").read_bytes() == first


def test_the_limit_of_a_license_is_the_one_for_itself_and_this_window(
    script: Script, cli: Cli, tmp_path: Path
) -> None:
    script.answer("MaxWindow", peaks(800_000))
    script.answer("GetLicense", GetLicenseResponse(license=ITS_LIMITS))

    day = cli.json("usage", "plot", tmp_path / "out.svg", "--license", "acme-training")
    hour = cli.json("usage", "plot", tmp_path / "out.svg", "--license", "acme-training", "--window", "1h")

    assert (day["limit"], day["limit_fault"]) == (1_000_000, None)
    assert (hour["limit"], hour["limit_fault"]) == (None, None)
    assert allowed(ITS_LIMITS, window_pb2.WINDOW_TERM) is None


def test_a_limit_that_is_given_is_not_looked_up(script: Script, cli: Cli, tmp_path: Path) -> None:
    script.answer("MaxWindow", peaks(8))
    script.answer("GetLicense", GetLicenseResponse(license=ITS_LIMITS))

    options = ("--license", "acme-training", "--limit", "9", "--parts", "3")
    answer = cli.json("usage", "plot", tmp_path / "out.png", *options)

    assert answer == {
        "out": str(tmp_path / "out.png"),
        "license_id": "acme-training",
        "window_us": 24 * HOUR_US,
        "parts": 1,
        "peak": {"posts": 8, "at": "2026-01-31T12:01:00.000000Z"},
        "limit": 9,
        "limit_fault": None,
        "revision": {"epoch": 1, "number": 7},
    }
    assert script.asked["GetLicense"] == []
    assert script.asked["MaxWindow"][0].parts == 3


def test_a_plot_does_without_licensing(script: Script, cli: Cli, tmp_path: Path) -> None:
    script.answer("MaxWindow", peaks(8))
    script.answer("GetLicense", not_found("LICENSE_UNKNOWN", "there is no such license"))

    out = tmp_path / "out.svg"
    cli("usage", "plot", out, "--license", "acme-training")

    assert not [text for text in words(out) if "limit" in text]
    assert cli.err == (
        "The limit of the license could not be looked up (LICENSE_UNKNOWN: there is no such license);"
        " --limit gives one.\n"
    )
    answer = cli.json("usage", "plot", out, "--license", "acme-training")
    assert answer["limit_fault"] == "LICENSE_UNKNOWN"
    assert cli.err == ""


def test_where_nothing_was_counted_the_picture_says_so(script: Script, cli: Cli, tmp_path: Path) -> None:
    script.answer("MaxWindow", pb.MaxWindowResponse(), peaks(0, 0))
    script.answer("QueryUsage", pb.QueryUsageResponse())

    cli("usage", "plot", tmp_path / "never.svg", *ARGUMENTS)
    said = cli("usage", "plot", tmp_path / "none.svg", *ARGUMENTS)

    assert "Nothing was counted." in words(tmp_path / "never.svg")
    assert "No window holds any post." in words(tmp_path / "none.svg")
    assert "No window of 24 hours of party acme holds any post." in said


def test_a_limit_far_above_is_told_in_words_and_presses_nothing_flat(tmp_path: Path) -> None:
    near, far = drawn(tmp_path, [1_000], 10_000), drawn(tmp_path, [1_000], 10_001)

    assert "80 % of it: 8,000 posts" in near
    assert "limit: 10,001 posts, far above" in far
    assert "12,000" in near
    assert "1,200" in far


def test_a_limit_is_drawn_where_no_window_holds_any_post(tmp_path: Path) -> None:
    assert "limit: 7 posts" in drawn(tmp_path, [0, 0], 7)
    assert "80 % of it: 5.6 posts" in drawn(tmp_path, [], 7)


def test_a_stretch_may_be_as_short_as_it_gets(tmp_path: Path) -> None:
    out = tmp_path / "out.svg"

    plots.draw(plots.Plot("Posts", [NOON_US, NOON_US + 1], [3], NOON_US + 1, 4), out)

    assert "3 posts at 2026-01-31 12:00:00.000 UTC" in words(out)


def test_a_limit_of_nothing_is_a_limit(tmp_path: Path) -> None:
    assert "limit: 0 posts" in drawn(tmp_path, [3], 0)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("out.pdf", "a name that ends in .png or .svg is expected"),
        ("out", "a name that ends in .png or .svg is expected"),
        ("nowhere/out.png", "there is no folder"),
    ],
)
def test_where_no_picture_can_be_written_nobody_is_asked(
    script: Script, cli: Cli, tmp_path: Path, name: str, said: str
) -> None:
    assert said in cli.wrong("usage", "plot", tmp_path / name, *ARGUMENTS)
    assert script.asked["MaxWindow"] == []


@pytest.mark.parametrize("option", ["--limit=-1", "--parts=0", "--parts=5001", "--window=day"])
def test_numbers_that_cannot_be_are_wrong_usage(cli: Cli, tmp_path: Path, option: str) -> None:
    assert option.partition("=")[0] in cli.wrong("usage", "plot", tmp_path / "out.png", *ARGUMENTS, option)


def test_without_matplotlib_it_is_said_how_to_get_it(
    script: Script, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)

    refusal = cli.refusal("usage", "plot", tmp_path / "out.png", *ARGUMENTS)

    assert refusal["reason"] == "PLOT_MISSING"
    assert "pip install sluice[plot]" in refusal["message"]
    assert script.asked["MaxWindow"] == []


def test_a_picture_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "out.svg").mkdir()

    with pytest.raises(OSError, match=r"out\.svg"):
        drawn(tmp_path, [1], None)

    assert [path.name for path in tmp_path.iterdir()] == ["out.svg"]


def test_what_metering_refuses_is_said_and_nothing_is_drawn(script: Script, cli: Cli, tmp_path: Path) -> None:
    refusal: Refusal = not_found("PARTY_UNKNOWN", "there is no such party")
    script.answer("MaxWindow", refusal)

    assert cli.refusal("usage", "plot", tmp_path / "out.png", *ARGUMENTS)["reason"] == "PARTY_UNKNOWN"
    assert not (tmp_path / "out.png").exists()
