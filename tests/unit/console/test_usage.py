"""`sluice usage show` and `peak`, against a metering that answers as it is told."""

import pytest

from services.chassis.refusals import Kind, Refusal, not_found
from services.console.moments import from_us, read
from services.console.usage import totals
from services.console.usage_options import Stretch, stretch
from sluice.licensing.v1.contract_service_pb2 import GetLicenseResponse, ListLicenseesResponse
from sluice.licensing.v1.license_pb2 import License, Licensee
from sluice.metering.v1 import usage_service_pb2 as pb
from sluice.metering.v1.access_pb2 import AccessKind
from sluice.metering.v1.usage_pb2 import Peak, UsageOf, UsageOrigin, UsageRow
from sluice.type.v1.content_pb2 import ContentKind
from sluice.type.v1.revision_pb2 import Revision
from tests.support.command_line import Cli
from tests.support.scripted import Script

NOON = read("2026-01-31T12:00:00Z")
NOON_US = NOON.ToMicroseconds()
HOUR_US = 3_600_000_000
AT_SEVEN = Revision(epoch=1, number=7)
RELEASED = UsageRow(
    origin=UsageOrigin.USAGE_ORIGIN_GATE,
    access=AccessKind.ACCESS_KIND_ACCESS,
    kind=ContentKind.CONTENT_KIND_POST,
    used=1_234_567,
    held=1_000,
)
SEEN = UsageRow(
    origin=UsageOrigin.USAGE_ORIGIN_SEEN,
    access=AccessKind.ACCESS_KIND_ACCESS,
    kind=ContentKind.CONTENT_KIND_REPLY,
    media_flags=5,
    used=33,
)
VIEWED = UsageRow(
    origin=UsageOrigin.USAGE_ORIGIN_SEEN,
    access=AccessKind.ACCESS_KIND_VIEW,
    kind=ContentKind.CONTENT_KIND_POST,
    used=9,
)
NOTHING = pb.QueryUsageResponse(until=NOON, revision=AT_SEVEN)
UNKNOWN = pb.QueryUsageResponse(until=NOON, revision=AT_SEVEN, unknown=True)
USED = pb.QueryUsageResponse(rows=[RELEASED, SEEN, VIEWED], until=NOON, revision=AT_SEVEN)
PEAK = Peak(since=from_us(NOON_US - HOUR_US), until=NOON, posts=1_000, at=from_us(NOON_US - 1))


def test_usage_is_a_table_by_kind_of_access_and_content(script: Script, cli: Cli) -> None:
    script.answer("QueryUsage", USED)

    lines = cli("usage", "show", "--party", "acme", "--since", "2026-01-31").splitlines()

    assert script.asked["QueryUsage"] == [
        pb.QueryUsageRequest(of=UsageOf(party_id="acme"), since=read("2026-01-31"))
    ]
    assert lines[0] == (
        "Usage of party acme, after 2026-01-31 00:00:00.000 UTC up to 2026-01-31 12:00:00.000 UTC:"
    )
    assert [line.split() for line in lines[1:5]] == [
        ["origin", "access", "kind", "media", "used", "held"],
        ["gate", "access", "post", "none", "1,234,567", "1,000"],
        ["seen", "access", "reply", "image+other", "33", "0"],
        ["seen", "view", "post", "none", "9", "0"],
    ]
    assert lines[-1] == "As of revision 7."


def test_m5_there_is_a_total_for_each_kind_of_access_and_none_of_all(script: Script, cli: Cli) -> None:
    script.answer("QueryUsage", USED)

    said = cli("usage", "show", "--group", "acme-group")

    assert [line.split() for line in said.splitlines()[6:9]] == [
        ["all", "of", "an", "access", "used", "held"],
        ["view", "9", "0"],
        ["access", "1,234,600", "1,000"],
    ]
    assert "1,234,609" not in said


def test_m5_a_kind_of_access_that_is_not_known_has_a_total_of_its_own() -> None:
    unknown = UsageRow(used=2)
    # As a later contract may have it.
    unknown.access = 9  # type: ignore[assignment]

    found = totals([unknown, VIEWED])

    assert {word: total.used for word, total in found.items()} == {"view": 9, "9": 2}


def test_usage_for_programs_has_every_number(script: Script, cli: Cli) -> None:
    script.answer("QueryUsage", USED)

    answer = cli.json("usage", "show", "--license", "acme-training")

    assert answer["license_id"] == "acme-training"
    assert (answer["since"], answer["until"]) == (None, "2026-01-31T12:00:00.000000Z")
    assert answer["rows"][1] == {
        "origin": "seen",
        "access": "access",
        "kind": "reply",
        "media": ["image", "other"],
        "used": 33,
        "held": 0,
    }
    assert answer["totals"] == {
        "view": {"used": 9, "held": 0},
        "access": {"used": 1_234_600, "held": 1_000},
    }


def test_no_usage_is_said_to_be_none(script: Script, cli: Cli) -> None:
    script.answer("QueryUsage", NOTHING)

    said = cli("usage", "show", "--party", "acme")

    assert "Nothing was counted.\n" in said
    assert "last access" not in said
    assert cli.json("usage", "show", "--party", "acme")["last_before"] is None


def test_where_nothing_was_counted_the_last_access_before_is_named(script: Script, cli: Cli) -> None:
    script.answer("QueryUsage", pb.QueryUsageResponse(until=NOON, revision=AT_SEVEN, last_before=NOON))
    asked = ("usage", "show", "--party", "acme", "--last", "1h")

    assert "The last access before that was at 2026-01-31 12:00:00.000000 UTC.\n" in cli(*asked)
    assert cli.json(*asked)["last_before"] == "2026-01-31T12:00:00.000000Z"


ABSENT = [("show",), ("peak",), ("plot", "out.png")]


@pytest.fixture
def nobody(script: Script) -> Script:
    """Nobody is known to metering or licensing but the licensee acme."""
    script.answer("QueryUsage", UNKNOWN)
    script.answer("MaxWindow", pb.MaxWindowResponse(revision=AT_SEVEN))
    script.answer("ListLicensees", ListLicenseesResponse(licensees=[Licensee(licensee_id="acme")]))
    script.answer("GetLicense", not_found("LICENSE_UNKNOWN", "there is no such license"))
    return script


@pytest.mark.parametrize("command", ABSENT)
def test_a_party_that_nobody_knows_is_not_found(nobody: Script, cli: Cli, command: tuple[str, ...]) -> None:
    refusal = cli.refusal("usage", *command, "--party", "acmee")

    assert (refusal["kind"], refusal["reason"]) == ("not_found", "PARTY_UNKNOWN")
    assert refusal["message"] == (
        "no party acmee is on record: nothing was ever counted or said of it, and licensing does not know it."
        " Did you mean acme?"
    )


@pytest.mark.parametrize("command", ABSENT)
def test_a_license_that_nobody_knows_is_not_found(nobody: Script, cli: Cli, command: tuple[str, ...]) -> None:
    refusal = cli.refusal("usage", *command, "--license", "acme-training")

    assert (refusal["kind"], refusal["reason"]) == ("not_found", "LICENSE_UNKNOWN")
    assert "no license acme-training is on record" in refusal["message"]


def test_a_group_that_nobody_knows_is_not_found(nobody: Script, cli: Cli) -> None:
    refusal = cli.refusal("usage", "show", "--group", "red")

    assert (refusal["kind"], refusal["reason"]) == ("not_found", "GROUP_UNKNOWN")
    assert "no group red is on record" in refusal["message"]


def test_who_is_known_to_licensing_alone_has_no_usage_yet(nobody: Script, cli: Cli) -> None:
    nobody.answer("GetLicense", GetLicenseResponse(license=License(license_id="acme-training")))

    assert "Nothing was counted." in cli("usage", "show", "--party", "acme")
    assert "Nothing was counted." in cli("usage", "show", "--license", "acme-training")


@pytest.mark.parametrize("whose", ["--party", "--license"])
def test_where_licensing_cannot_be_asked_that_is_said(nobody: Script, cli: Cli, whose: str) -> None:
    fault = Refusal(Kind.FORBIDDEN, "NOT_ADMITTED", "not you")
    nobody.answer("GetLicense", fault)
    nobody.answer("ListLicensees", fault)

    refusal = cli.refusal("usage", "show", whose, "acme")

    assert refusal["kind"] == "not_found"
    assert "licensing could not be asked (NOT_ADMITTED: not you)" in refusal["message"]


@pytest.mark.parametrize("whose", ["--party", "--group", "--license"])
@pytest.mark.parametrize("id", ["", "Acme", "acme models", "-", "a" * 64])
def test_what_can_be_no_id_is_wrong_usage(cli: Cli, whose: str, id: str) -> None:
    assert "lower-case letters, digits, dots, dashes and underscores" in cli.wrong(
        "usage", "show", f"{whose}={id}"
    )


def test_the_last_hours_are_counted_back_from_the_end(script: Script, cli: Cli) -> None:
    script.answer("QueryUsage", USED)

    cli("usage", "show", "--party", "acme", "--last", "12h", "--until", "2026-01-31T12:00:00Z")

    (asked,) = script.asked["QueryUsage"]
    assert (asked.since, asked.until) == (read("2026-01-31"), NOON)


def test_the_end_of_what_is_asked_up_to_now_is_left_to_the_service() -> None:
    assert stretch("", "", NOON_US, "1h") == Stretch(from_us(NOON_US - HOUR_US), None)
    assert stretch("", "", NOON_US) == Stretch(None, None)


COMMANDS = [
    ("usage", "show"),
    ("usage", "peak"),
    ("usage", "plot", "out.png"),
    ("usage", "watch", "--window", "second"),
]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    "options", [(), ("--party", "a", "--group", "b"), ("--party", "a", "--license", "b")]
)
def test_usage_is_of_one(cli: Cli, command: tuple[str, ...], options: tuple[str, ...]) -> None:
    assert "whose usage? One of them is expected" in cli.wrong(*command, *options)


@pytest.mark.parametrize("command", COMMANDS[:3])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--since", "2026-02-01", "--until", "2026-01-31"), "a time before --until is expected"),
        (("--since", "2026-01-31", "--until", "2026-01-31"), "a time before --until is expected"),
        (("--since", "9000-01-01"), "a time before now is expected"),
        (("--since", "yesterday"), "a time like"),
        (("--until", "2026-13-01"), "a time like"),
    ],
)
def test_a_stretch_begins_before_it_ends(
    cli: Cli, command: tuple[str, ...], options: tuple[str, ...], said: str
) -> None:
    assert said in cli.wrong(*command, "--party", "acme", *options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--last", "24"), "a duration like"),
        (("--last", "0s"), "more than nothing"),
        (("--last", "1h", "--since", "2026-01-31"), "says when it begins already"),
        (("--last", "7d", "--until", "0001-01-02"), "before any time"),
    ],
)
def test_last_is_a_duration_instead_of_since(cli: Cli, options: tuple[str, ...], said: str) -> None:
    assert said in cli.wrong("usage", "show", "--party", "acme", *options)


def test_the_peak_is_told_to_the_microsecond(script: Script, cli: Cli) -> None:
    script.answer("MaxWindow", pb.MaxWindowResponse(peaks=[PEAK], revision=AT_SEVEN))

    said = cli("usage", "peak", "--party", "acme", "--until", "2026-01-31T12:00:00Z")

    (asked,) = script.asked["MaxWindow"]
    assert (asked.window.ToMicroseconds(), asked.parts, list(asked.accesses)) == (24 * HOUR_US, 1, [])
    assert (asked.HasField("since"), asked.until) == (False, NOON)
    assert said == (
        "The fullest window of 24 hours of party acme holds 1,000 posts and ends at"
        " 2026-01-31 11:59:59.999999 UTC.\n"
    )


def test_the_peak_for_programs(script: Script, cli: Cli) -> None:
    script.answer("MaxWindow", pb.MaxWindowResponse(peaks=[PEAK], revision=AT_SEVEN))

    assert cli.json("usage", "peak", "--license", "acme-training", "--window", "90s") == {
        "license_id": "acme-training",
        "window_us": 90_000_000,
        "posts": 1_000,
        "at": "2026-01-31T11:59:59.999999Z",
        "since": "2026-01-31T11:00:00.000000Z",
        "until": "2026-01-31T12:00:00.000000Z",
        "revision": {"epoch": 1, "number": 7},
    }


@pytest.mark.parametrize("peaks", [[], [Peak(since=NOON, until=NOON)]])
def test_where_nothing_was_counted_there_is_no_peak(script: Script, cli: Cli, peaks: list[Peak]) -> None:
    script.answer("MaxWindow", pb.MaxWindowResponse(peaks=peaks, revision=AT_SEVEN))
    script.answer("QueryUsage", NOTHING)

    said = cli("usage", "peak", "--group", "acme-group", "--window", "1s")
    answer = cli.json("usage", "peak", "--group", "acme-group")

    assert said == "No window of 1 second of group acme-group holds any post.\n"
    assert (answer["posts"], answer["at"]) == (0, None)


@pytest.mark.parametrize("window", ["24", "0s", "11y", "4000d", "-1h", ""])
def test_a_window_is_a_duration_of_at_most_ten_years(cli: Cli, window: str) -> None:
    said = cli.wrong("usage", "peak", "--party", "acme", f"--window={window}")

    assert "--window" in said
    assert "a duration" in said


def test_what_metering_refuses_is_said(script: Script, cli: Cli) -> None:
    script.answer("QueryUsage", Refusal(Kind.FORBIDDEN, "NOT_ADMITTED", "not you"))

    assert cli.refusal("usage", "show", "--party", "acme")["reason"] == "NOT_ADMITTED"
