"""Licenses over their life, worked with by the commands against services that run."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import Cli
from tests.support.up import Up, up


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with up(tmp_path_factory.mktemp("licenses") / "state") as running:
        yield running


@pytest.fixture
def cli(running: Up, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return Cli(running.state, capsys, monkeypatch)


def a_file(cli: Cli, folder: Path, name: str, *replacements: tuple[str, str]) -> Path:
    """The commercial template for a license of this name, after replacements."""
    text = cli("license", "template", "commercial").replace("acme-training", name)
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    file = folder / "license.yaml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture
def licensee(cli: Cli) -> None:
    if not cli.json("licensee", "list"):
        cli("licensee", "create", "acme", "--name", "Acme")


@pytest.mark.usefixtures("licensee")
def test_a_license_is_checked_created_amended_and_compared(cli: Cli, tmp_path: Path) -> None:
    file = a_file(cli, tmp_path, "acme-one")

    checked = cli.json("license", "check", file)
    created = cli.json("license", "create", file)
    cli("license", "activate", "acme-one", "--reason", "signed")
    file = a_file(cli, tmp_path, "acme-one", ("languages: [en]", "languages: [en, de]"))
    foreseen = cli.json("license", "diff", "acme-one", "--file", file)
    amended = cli("license", "amend", file, "--reason", "German too")
    compared = cli("license", "diff", "acme-one")
    active = cli("license", "activate", "acme-one", "--version", "2")
    versions = cli.json("license", "versions", "acme-one")

    assert checked["terms_digest"] == created["terms_digest"]
    assert foreseen["differences"] == [{"fact": "languages", "before": "en", "after": "de, en"}]
    assert "version 1, of acme: active (signed)" in amended
    assert "Version 2 is drafted" in amended
    assert re.search(r"languages +with de", compared)
    assert "version 2, of acme: active" in active
    assert [(each["version"], each.get("reason")) for each in versions] == [(2, "German too"), (1, "")]
    assert versions[0]["terms_digest"] != versions[1]["terms_digest"] == created["terms_digest"]


@pytest.mark.usefixtures("licensee")
def test_an_amendment_with_a_time_can_be_withdrawn(cli: Cli, tmp_path: Path) -> None:
    cli("license", "create", a_file(cli, tmp_path, "acme-two"))
    cli("license", "activate", "acme-two")
    cli("license", "amend", a_file(cli, tmp_path, "acme-two", ("[US]", "[US, CA]")))

    later = cli("license", "activate", "acme-two", "--at", "2026-12-24")
    shown = cli("license", "show", "acme-two")
    withdrawn = cli.json("license", "withdraw", "acme-two", "2", "--reason", "not agreed")
    refusal = cli.refusal("license", "withdraw", "acme-two", "2")

    assert "Version 2 is in force from 2026-12-24" in later
    assert re.search(r"author_jurisdictions +US -> CA, US|author_jurisdictions +with CA", shown)
    assert withdrawn["version"] == 1
    assert "next" not in withdrawn
    assert refusal["reason"] == "AMENDMENT_UNKNOWN"


@pytest.mark.usefixtures("licensee")
def test_a_version_is_compared_with_another_of_the_same_license_only(cli: Cli, tmp_path: Path) -> None:
    permissive = ("no_reidentification: true", "no_reidentification: false")
    cli("license", "create", a_file(cli, tmp_path, "acme-alone", permissive))
    other = a_file(cli, tmp_path, "acme-other")

    shown = cli("license", "show", "acme-alone")
    as_json = cli.json("license", "show", "acme-alone")
    alone = cli.refusal("license", "diff", "acme-alone")
    of_another = cli.refusal("license", "diff", "acme-alone", "--file", other)

    assert re.search(r"obligations.no_reidentification +no", shown)
    assert as_json["terms"]["obligations"]["no_reidentification"] is False
    assert (alone["reason"], of_another["reason"]) == ("VERSION_ALONE", "LICENSE_DIFFERS")
    assert of_another["violations"][0]["field"].endswith(": license_id")


@pytest.mark.usefixtures("licensee")
def test_who_changed_a_license_and_why_can_be_read(cli: Cli, tmp_path: Path) -> None:
    cli("license", "create", a_file(cli, tmp_path, "acme-told"))
    cli("license", "activate", "acme-told", "--reason", "signed")
    cli(
        "license", "amend", a_file(cli, tmp_path, "acme-told", ("[US]", "[US, CA]")), "--reason", "Canada too"
    )
    cli("license", "activate", "acme-told", "--at", "2026-12-24")
    cli("license", "withdraw", "acme-told", "2", "--reason", "not agreed")

    told = cli("license", "history", "acme-told")
    changes = cli.json("license", "history", "acme-told")

    assert [(each["step"], each["version"], each.get("reason")) for each in changes] == [
        ("withdrawn", 2, "not agreed"),
        ("scheduled", 2, None),
        ("amended", 2, "Canada too"),
        ("activated", 1, "signed"),
        ("drafted", 1, None),
    ]
    assert changes[0]["effective_from"] == changes[1]["effective_from"] == "2026-12-24T00:00:00.000000Z"
    assert all(each["changed_by"].startswith("operator:") for each in changes)
    assert "version 2 amended" in told
    assert "Canada too" in told
    assert cli.refusal("license", "history", "acme-nobody")["reason"] == "LICENSE_UNKNOWN"


@pytest.mark.usefixtures("licensee")
def test_what_cannot_be_activated_is_refused_in_words(cli: Cli, tmp_path: Path) -> None:
    cli("license", "create", a_file(cli, tmp_path, "acme-three"))

    past = cli.refusal("license", "activate", "acme-three", "--at", "2020-01-01")
    other = cli.refusal("license", "activate", "acme-three", "--version", "2")
    cli("license", "activate", "acme-three", "--at", "2026-12-24")
    ended_words = cli("license", "terminate", "acme-three")
    ended = cli.refusal("license", "amend", a_file(cli, tmp_path, "acme-three", ("[US]", "[CA]")))

    assert "acme: terminated since" in ended_words
    assert "2026-12-24" not in ended_words
    assert [each["reason"] for each in (past, other, ended)] == [
        "ACTIVATION_IN_PAST",
        "VERSION_NOT_DRAFTED",
        "LICENSE_STATE_FORBIDS",
    ]


@pytest.mark.parametrize(
    ("replacement", "reason", "field"),
    [
        (("term_until: 2027-01-01", "term_until: 2025-01-01"), "TERM_EMPTY", "terms.term_until"),
        (
            ("up_to: 100_000_000", "up_to: 9_000_000"),
            "TIERS_OVERLAP",
            "terms.price.charges[1].graduated.tiers[1].up_to",
        ),
        (
            ("- {unit_price: 0.0008}", "- {up_to: 200_000_000, unit_price: 0.0008}"),
            "TIERS_OPEN",
            "terms.price.charges[1].graduated.tiers[2].up_to",
        ),
        (("minimum: 7500.00 USD", "minimum: 7500.00 EUR"), "MIXED_CURRENCIES", "terms.price.minimum"),
        (("minimum: 7500.00", "minimum: 750000.00"), "MINIMUM_ABOVE_MAXIMUM", "terms.price.maximum"),
        (("America/New_York", "America/Old_York"), "TIME_ZONE_UNKNOWN", "terms.price.time_zone"),
        (("currency: USD", "currency: XAU"), "CURRENCY_UNKNOWN", "terms.price.currency"),
        (("name: Access,", "name: Posts,"), "CHARGE_NAME_TWICE", "terms.price.charges[1].name"),
        (('territory: ["*"]', "territory: [DE, UK]"), "COUNTRY_UNKNOWN", "terms.territory"),
    ],
)
def test_a_fault_that_licensing_finds_is_told_with_its_line_and_field(
    cli: Cli, tmp_path: Path, replacement: tuple[str, str], reason: str, field: str
) -> None:
    file = a_file(cli, tmp_path, "acme-faulty", replacement)

    refusal = cli.refusal("license", "check", file)

    lines = file.read_text(encoding="utf-8").splitlines()
    (violation,) = refusal["violations"]
    place, _, name = violation["field"].partition(": ")
    word = field.rpartition(".")[2]
    assert (refusal["reason"], name) == (reason, field)
    assert place.startswith("license.yaml:")
    # The line itself, or the one that its list begins on.
    assert word in lines[int(place.partition(":")[2]) - 1] or reason == "TIERS_OPEN"


def test_a_fault_that_licensing_finds_is_told_to_people_with_its_line_and_field(
    cli: Cli, tmp_path: Path
) -> None:
    file = a_file(cli, tmp_path, "acme-faulty", ("minimum: 7500.00 USD", "minimum: 7500.00 EUR"))

    cli("license", "check", file, status=1)

    line = file.read_text(encoding="utf-8")[: file.read_text(encoding="utf-8").index("minimum:")].count("\n")
    assert cli.err == (
        f"MIXED_CURRENCIES: EUR in a price in USD\n  license.yaml:{line + 1}: terms.price.minimum\n"
    )


@pytest.mark.parametrize(
    ("replacement", "description"),
    [
        (("unit_price: 0.0025", "unit_price: -0.0025"), ""),
        (("flat: 5000.00 USD", "flat: -5000.00 USD"), "an amount like 15000.00 USD is expected"),
        (("flat: 5000.00 USD", "fee: 5000.00 USD"), "no such field"),
        (("flat: 5000.00 USD", "flat: 5000.00 USD, volume: {}"), "cannot be given together with flat"),
        (("    period: month\n", ""), "is missing"),
    ],
)
def test_a_fault_of_form_is_told_before_anybody_is_asked(
    cli: Cli, tmp_path: Path, replacement: tuple[str, str], description: str
) -> None:
    refusal = cli.refusal("license", "create", a_file(cli, tmp_path, "acme-faulty", replacement))

    assert refusal["reason"] == "DOCUMENT_INVALID"
    assert all(each["field"].startswith("license.yaml:") for each in refusal["violations"])
    assert description in refusal["violations"][0]["description"]


def test_a_template_that_does_not_exist_is_refused_with_those_that_do(cli: Cli) -> None:
    assert "commercial, api_tier, research, internal" in cli.wrong("license", "template", "barter")
