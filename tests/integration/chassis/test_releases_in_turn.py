"""The three services decide on the schema before their own, and on what a later release has added to it."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import services
from services.chassis.migrating import Target, look, migrate
from services.chassis.revisions import Schema
from services.console.credentials import PIPELINE, token_source
from services.console.installation import StateFolder
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.type.v1.purpose_pb2 import Purpose
from sluice_gate import LicensingClient
from sluice_gate.columns import columns_of
from sluice_gate.posts import Post
from tests.support.engines import ENGINES
from tests.support.fleet import Fleet, a_fleet
from tests.support.platforms import a_platform
from tests.support.postgres import PostgresServer

BUSIEST = {"consent": "states", "metering": "reservations", "licensing": "decisions"}
"""A table of each service that a decision reads or writes."""
EXPANDS = """
\"""Adds a column and a table.\"""
import sqlalchemy as sa
from alembic import op
revision, down_revision, phase = "8001", {before!r}, "expand"
def upgrade() -> None:
    op.add_column({table!r}, sa.Column("of_a_later_release", sa.Text))
    op.create_table("of_a_later_release", sa.Column("id", sa.Integer, primary_key=True))
"""
TUNES = """
\"""Adds an index.\"""
from alembic import op
revision, down_revision, phase = "8002", "8001", "tune"
def upgrade() -> None:
    op.create_index("ix_of_a_later_release", {table!r}, ["of_a_later_release"])
"""

Changing = Callable[[str, Path], None]


def without_what_it_can_do_without(service: str, versions: Path) -> None:
    """Takes away the steps at the end that tune and contract, down to the baseline."""
    for step in reversed(Schema.in_folder(versions.parent).steps):
        if step.is_needed:
            return
        Path(step.script.path).unlink()


def with_what_comes_later(service: str, versions: Path) -> None:
    """Adds two steps that this release does not know."""
    before = Schema.in_folder(versions.parent).steps[-1].revision
    for name, text in (("8001_expands.py", EXPANDS), ("8002_tunes.py", TUNES)):
        said = text.format(before=before, table=BUSIEST[service])
        (versions / name).write_text(said.strip() + "\n", encoding="utf-8")


def schema_changed(service: str, folder: Path, change: Changing) -> Schema:
    """The schema of another release of a service."""
    versions = folder / service / "versions"
    shutil.copytree(Path(services.__path__[0]) / service / "schema" / "versions", versions)
    change(service, versions)
    return Schema.in_folder(versions.parent)


def url_of(service: str, engine: str, request: pytest.FixtureRequest, state: StateFolder) -> str:
    if engine == "sqlite":
        return f"sqlite:///{state.database(service)}"
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.new_database()
    request.addfinalizer(lambda: server.drop(url))
    return url


def settings_for(url: str, service: str, folder: Path) -> Mapping[str, str]:
    """Of a service that looks and does not migrate."""
    shared = {"head_dir": str(folder / "heads")} | (
        {"log_dir": str(folder / "log")} if service == "licensing" else {}
    )
    return {"database_url": url, "migrate_on_start": "false", **shared}


async def decide(fleet: Fleet, folder: Path) -> int:
    """The outcome of one decision on a post of somebody who has not said no."""
    platform = await a_platform(fleet, folder, posts=10, accounts=20, seed=1)
    await fleet.license("acme")
    author = next(
        account
        for account in platform.accounts[1:]
        if account.noticed and not account.state and account.jurisdiction == "US"
    )
    post = Post(id=1, author_id=author.id, kind=1, media_flags=0, language="en", posted_at_us=1, embeds=())
    client = LicensingClient(fleet.address("licensing"), token_source(fleet.state, None, PIPELINE))
    request = pb.DecideRequest(
        request_id=fleet.new_id(),
        license_id="acme",
        purpose=Purpose.PURPOSE_AI_TRAINING_GENERATIVE,
        columns=columns_of([post]),
    )
    try:
        return int((await client.decide(request)).outcome)
    finally:
        await client.close()


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("change", "newest"),
    [
        (without_what_it_can_do_without, {"consent": "0008", "metering": "0009", "licensing": "0023"}),
        (with_what_comes_later, dict.fromkeys(BUSIEST, "8002")),
    ],
    ids=["the schema before", "a later schema"],
)
async def test_a_release_decides_on_the_schema_before_it_and_on_the_next(
    change: Changing, newest: dict[str, str], engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    state = StateFolder(tmp_path / "state")
    state.prepare()
    urls = {service: url_of(service, engine, request, state) for service in BUSIEST}
    targets = {
        service: Target(service, url, schema_changed(service, tmp_path / "schemas", change))
        for service, url in urls.items()
    }
    for target in targets.values():
        migrate(target, contract=False, tell=lambda _: None)

    settings = {service: settings_for(url, service, tmp_path) for service, url in urls.items()}
    async with a_fleet(state.root, settings) as fleet:
        outcome = await decide(fleet, tmp_path / "posts")

    assert outcome == pb.OUTCOME_RELEASED
    assert {name: look(target, contract=True)[0].revision for name, target in targets.items()} == newest
