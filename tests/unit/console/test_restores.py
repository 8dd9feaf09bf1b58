"""`sluice restore`: what the service's own program says is what the operator hears (R5)."""

from pathlib import Path

import pytest

from services.chassis.database import Database
from services.chassis.heads import Head
from services.chassis.kept_heads import HeadFile, KeptHead
from services.console.installation import StateFolder
from services.console.moments import read
from services.metering.assembly import SCHEMA
from services.metering.schema.tables import RESTORES
from sluice.consent.v1 import state_service_pb2
from sluice.licensing.v1 import log_service_pb2
from sluice.metering.v1 import usage_service_pb2
from sluice.type.v1.restore_pb2 import Restore
from sluice.type.v1.revision_pb2 import Revision
from tests.support.command_line import Cli
from tests.support.scripted import Script

RESTORE = Restore(
    epoch=2,
    found=Revision(epoch=1, number=80),
    lost=Revision(epoch=1, number=120),
    shared_number=80,
    accepted_at=read("2026-01-31T12:00:00Z"),
    accepted_by="olga",
    reason="the disk died",
)


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    """Of `cli`, with a database of metering that had come further."""
    folder = StateFolder(tmp_path / "state")
    database = Database.open(f"sqlite:///{folder.database('metering')}", schema_dir=SCHEMA, name="metering")
    standing = database.read_now(RESTORES.standing)
    database.write_now(RESTORES.note_kept)
    database.close_now()
    HeadFile(folder.root / "heads", "metering").replace(KeptHead("metering", standing.mark, Head(1, 7)))
    return folder


def test_r5_an_operator_accepts_a_restore_once(cli: Cli, state: StateFolder) -> None:
    said = cli("restore", "accept", "metering", "--reason", "the disk died", "--by", "olga")
    again = cli("restore", "accept", "metering", "--reason", "the disk died", status=1)

    assert said.startswith("Epoch 2 of metering has begun, after number 0 of epoch 1.")
    assert "It had come to number 7 of epoch 1; what came after is lost." in said
    assert again == ""
    assert "NOT_RESTORED" in cli.err


def test_r5_settings_of_the_service_are_those_that_it_would_be_started_with(
    cli: Cli, state: StateFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("restore", "accept", "metering", "--reason", "the disk died")
    monkeypatch.setenv("SLUICE_METERING_DATABASE_URL", "sqlite:///nothing/../:memory:")

    cli(*command, "--set", "metering.no_such=1", status=1)
    of_the_option = cli.err
    cli(*command, "--set", "metering.database_url=nonsense", status=1)

    assert "SETTING_UNKNOWN" in of_the_option
    assert "DATABASE_URL_INVALID" in cli.err


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        (["--reason", "  "], "1 to 500 characters"),
        (["--reason", "x" * 501], "1 to 500 characters"),
        (["--reason", "fire", "--by", "x" * 161], "1 to 160 characters"),
        (["--reason", "fire", "--log-folder-lost"], "only licensing has a log"),
    ],
)
def test_a_restore_needs_a_reason_and_a_name_of_a_length_that_fits(
    cli: Cli, said: list[str], wrong: str
) -> None:
    assert wrong in cli.wrong("restore", "accept", "consent", *said)


def test_what_an_operator_says_may_begin_like_an_option(cli: Cli, state: StateFolder) -> None:
    cli("restore", "accept", "metering", "--reason=-rf", "--by=-x")

    database = Database.open(f"sqlite:///{state.database('metering')}", schema_dir=SCHEMA, name="metering")
    (restore,) = database.read_now(lambda connection: RESTORES.page(connection, None, 2))
    database.close_now()
    assert (restore.reason, restore.accepted_by) == ("-rf", "-x")


def test_r5_those_of_licensing_say_which_receipts_are_lost(script: Script, cli: Cli) -> None:
    pb = log_service_pb2
    lost = pb.LogRestore(restore=RESTORE, first_lost_receipt=31, last_lost_receipt=330, published=330)
    script.answer("ListRestores", pb.ListRestoresResponse(restores=[lost, pb.LogRestore(restore=RESTORE)]))

    listed = cli("restore", "list", "licensing")

    assert "31 to 330" in listed
    assert "none" in listed


@pytest.mark.parametrize("service", ["consent", "metering"])
def test_r5_restores_are_listed_page_by_page(script: Script, cli: Cli, service: str) -> None:
    pb = state_service_pb2 if service == "consent" else usage_service_pb2
    first = pb.ListRestoresResponse(restores=[RESTORE], next_page_token="more")
    script.answer("ListRestores", first, pb.ListRestoresResponse(restores=[RESTORE]))

    listed = cli.json("restore", "list", service)

    assert [each.page_token for each in script.asked["ListRestores"]] == ["", "more"]
    assert [each["epoch"] for each in listed] == [2, 2]
    assert listed[0]["found"] == {"epoch": 1, "number": 80}


def test_r5_restores_are_told_to_people(script: Script, cli: Cli) -> None:
    script.answer(
        "ListRestores",
        usage_service_pb2.ListRestoresResponse(restores=[RESTORE]),
        usage_service_pb2.ListRestoresResponse(),
    )

    assert "1:120" in cli("restore", "list", "metering")
    assert cli("restore", "list", "metering") == "No restore of metering was ever accepted.\n"
