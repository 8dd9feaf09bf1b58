"""A license from its first day to its last invoice, by the commands against services that run."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pypdf import PdfReader

from tests.support.command_line import Cli
from tests.support.up import Up, up

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "license.yaml"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with up(tmp_path_factory.mktemp("invoices") / "state") as running:
        yield running


@pytest.fixture
def cli(running: Up, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return Cli(running.state, capsys, monkeypatch)


def test_b3_a_period_is_drafted_finalised_shown_and_credited(cli: Cli, tmp_path: Path) -> None:
    cli("licensee", "create", "acme", "--name", "Acme, Inc.")
    file = tmp_path / "license.yaml"
    file.write_text(EXAMPLE.read_text(encoding="utf-8").replace("America/New_York", "UTC"), encoding="utf-8")
    cli("license", "create", file)
    label = cli.json("license", "activate", "acme-training")["state_changed_at"][:7]
    outside = cli.refusal("invoice", "draft", "acme-training", "2036-01")
    early = cli.refusal("invoice", "draft", "acme-training", label)
    preview = cli.json("invoice", "preview", "acme-training")
    nothing_due = cli("invoice", "due")
    # A license that has ended has its last period at once.
    cli("license", "terminate", "acme-training", "--reason", "test")

    due = cli.json("invoice", "due")
    drafted = cli.json("invoice", "draft", "acme-training", "--due")
    final = cli("invoice", "finalize", drafted["invoice_id"], "--yes", "--digest", drafted["digest"])
    cli("invoice", "show", "INV-000001", "--format", "pdf", "--out", tmp_path / "a.pdf", "--issuer", "Me")
    shown = cli("invoice", "show", "INV-000001")
    credited = cli("invoice", "credit", "INV-000001", "--goodwill", "50.00 USD", "--reason", "Sorry")
    listed = cli("invoice", "list", "--licensee", "acme", "--only", "final")
    revenue = cli("revenue", "--plot", tmp_path / "revenue.svg")
    over = cli.refusal("invoice", "credit", "INV-000001", "--goodwill", "700.01 USD", "--reason", "More")

    assert (outside["reason"], early["reason"]) == ("PERIOD_INVALID", "PERIOD_NOT_OVER")
    assert (preview["period"], preview["total_minor"], preview["invoice_id"]) == (label, 75_000, "")
    assert nothing_due == "Nothing is due: every period that is over is invoiced.\n"
    assert [(each["license_id"], each["period"]) for each in due] == [("acme-training", label)]
    assert final == f"Final as INV-000001: {label} of acme-training, for Acme, Inc.: USD 750.00.\n"
    assert "INV-000001" in PdfReader(tmp_path / "a.pdf").pages[0].extract_text()
    # A fee of 500, and what is missing to the minimum.
    for words in ("Access, flat", "500.00", "Minimum", "250.00", "750.00"):
        assert words in shown
    assert "Issued CN-000001 about INV-000001." in credited
    assert re.search(r"INV-000001 .* USD 750\.00 +USD 50\.00", listed)
    assert "Total: USD 700.00." in revenue
    assert over["reason"] == "CREDIT_OVER_BILLED"
