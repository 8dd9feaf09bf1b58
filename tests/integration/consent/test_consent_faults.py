"""C9 and C10 when things break: lost commits, a database out of reach, a process that is killed."""

import asyncio
import contextlib
import os
import signal
import sqlite3
import sys
import threading
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from services.chassis.clock import SystemClock
from services.chassis.database import Database
from services.chassis.dialing import Peer
from services.chassis.identity import PrincipalKind
from services.chassis.ids import uuid7
from services.chassis.refusals import Refusal
from services.consent.domain.choices import Stance
from services.consent.storage.tables import ConsentTable
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from tests.support.clock import ManualClock
from tests.support.consent import (
    a_batch,
    a_draft,
    a_key,
    a_policy_draft,
    a_question,
    consent_database,
    consent_database_at,
    facts_rows,
    names,
)
from tests.support.consent_callers import a_check, a_deny, a_policy, reason_name, subject_rows
from tests.support.consent_server import a_replica
from tests.support.declared_tables import differences
from tests.support.engines import ENGINES, url_on
from tests.support.keys import a_minter, some_keys

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
SECOND_US = 1_000_000
PATIENCE_SECONDS = 20


class Bench:
    """One process over a database whose commits can be made to go wrong."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.registrar = a_replica(database, ManualClock()).registrar

    async def prepare(self) -> None:
        await self.registrar.import_subjects(facts_rows(7, 8), a_key(100))
        await self.registrar.publish(a_policy_draft(ManualClock().now_us()), a_key(101))

    async def reasons(self, *posts: tuple[int, ...]) -> list[str]:
        return names((await self.registrar.check(a_question(), a_batch(*posts))).reasons)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(consent_database(tmp_path))
    await bench.prepare()
    assert await bench.reasons((7,), (8,)) == ["ALLOWED", "ALLOWED"]
    yield bench
    await bench.database.close()


def lose_next_answer(monkeypatch: pytest.MonkeyPatch, database: Database) -> threading.Event:
    """The next commit reaches the disk (then the event is set), and whoever waits is told that it failed."""
    committed = threading.Event()
    file: Any = database._engine
    commit: Callable[[], None] = file.commit

    def commit_and_fail() -> None:
        monkeypatch.setattr(file, "commit", commit)
        commit()
        committed.set()
        error = sqlite3.OperationalError("the connection was lost")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr(file, "commit", commit_and_fail)
    return committed


async def test_c9_a_choice_whose_answer_was_lost_is_seen_by_the_next_check(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_next_answer(monkeypatch, bench.database)

    with pytest.raises(Refusal) as unknown:
        await bench.registrar.record(a_draft(Stance.DENY, 7), a_key(1))

    assert unknown.value.reason == "COMMIT_UNKNOWN"
    assert await bench.reasons((7,), (8,)) == ["CHOICE_DENIES", "ALLOWED"]


async def test_c9_a_lost_answer_is_given_again_to_whoever_repeats_the_request(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_next_answer(monkeypatch, bench.database)
    with pytest.raises(Refusal):
        await bench.registrar.record(a_draft(Stance.DENY, 7), a_key(1))

    again = await bench.registrar.record(a_draft(Stance.DENY, 7), a_key(1))

    assert again.outcome.revision.number == 5


async def test_c9_a_choice_whose_caller_went_away_is_seen_by_the_next_check(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed = lose_next_answer(monkeypatch, bench.database)
    caller = asyncio.create_task(bench.registrar.record(a_draft(Stance.DENY, 7), a_key(1)))
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    await asyncio.to_thread(committed.wait, PATIENCE_SECONDS)

    assert await bench.reasons((7,), (8,)) == ["CHOICE_DENIES", "ALLOWED"]


async def test_c10_a_closed_database_gives_no_answers(tmp_path: Path) -> None:
    bench = Bench(consent_database(tmp_path))
    await bench.prepare()
    await bench.database.close()

    with pytest.raises(Refusal) as refused:
        await bench.reasons((7,))

    assert refused.value.reason == "DATABASE_CLOSED"


async def test_c9_choices_and_checks_at_the_same_time_never_show_an_older_answer(bench: Bench) -> None:
    stale: list[int] = []

    async def choose_and_check(number: int) -> None:
        subject_id = 1_000 + number
        await bench.registrar.import_subjects(facts_rows(subject_id), a_key(1_000 + number))
        before = await bench.reasons((subject_id,))
        await bench.registrar.record(a_draft(Stance.DENY, subject_id), a_key(5_000 + number))
        after = await bench.reasons((subject_id,))
        if (before, after) != (["ALLOWED"], ["CHOICE_DENIES"]):
            stale.append(number)

    await asyncio.gather(*(choose_and_check(number) for number in range(300)))

    assert stale == []


@pytest.mark.parametrize("engine", ENGINES)
def test_the_migrations_lead_to_the_tables_that_the_code_declares(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    database = consent_database_at(url_on(engine, request, tmp_path, consent_database_at))
    # Declared for PostgreSQL alone; Alembic does not ask an index for which engines it is.
    elsewhere = {"sqlite": {"ix_profiles_content"}}.get(engine, set())

    found = database.read_now(lambda connection: differences(connection, ConsentTable.metadata, elsewhere))
    database.close_now()

    assert found == []


@contextlib.asynccontextmanager
async def a_process(folder: Path) -> AsyncIterator[tuple[Process, str]]:
    """`python -m services.consent` with its state in `folder`, and the address that it announced."""
    announced = folder / "address"
    fields = {
        "LISTEN": "127.0.0.1:0",
        "ANNOUNCE_PATH": str(announced),
        "DATABASE_URL": f"sqlite:///{folder / 'consent.db'}",
        "STATE_DIR": str(folder),
        "TOKEN_JWKS": str(some_keys(folder).token_jwks),
    }
    environment = {f"SLUICE_CONSENT_{name}": value for name, value in fields.items()}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "services.consent"),
        cwd=ROOT,
        env={**os.environ, **environment, "PYTHONPATH": f"{ROOT}:{ROOT}/protos/python"},
        stdout=DEVNULL,
        stderr=PIPE,
    )
    try:
        await asyncio.wait_for(_until_serving(process), PATIENCE_SECONDS)
        yield process, announced.read_text(encoding="ascii").strip()
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _until_serving(process: Process) -> None:
    assert process.stderr is not None
    while line := await process.stderr.readline():
        if b'"serving"' in line:
            return
    raise AssertionError("the service ended before it served")


class Visitor:
    """Calls a process under tokens of the keys in its folder."""

    def __init__(self, folder: Path, address: str) -> None:
        self._minter = a_minter(some_keys(folder))
        self._address = address

    async def call(self, kind: PrincipalKind, method: str, request: Any) -> Any:
        party = "licensing" if kind is PrincipalKind.SERVICE else "someone"
        peer = Peer(self._address, lambda: self._minter.mint(kind, party, ["admin"]), name="consent")
        try:
            return await peer.call(getattr(ConsentServiceStub(peer.channel), method), request)
        finally:
            await peer.close()

    async def check(self, *posts: tuple[int, ...]) -> pb.CheckConsentResponse:
        response = await self.call(PrincipalKind.SERVICE, "CheckConsent", a_check(*posts))
        assert isinstance(response, pb.CheckConsentResponse)
        return response


async def test_c9_an_acknowledged_choice_survives_a_kill(tmp_path: Path) -> None:
    clock = SystemClock()
    async with a_process(tmp_path) as (process, address):
        visitor = Visitor(tmp_path, address)
        request = subject_rows(7, 8)
        request.request_id = uuid7(clock.now_us())
        await visitor.call(PrincipalKind.PIPELINE, "ImportSubjects", request)
        policy = a_policy(clock.now_us() + SECOND_US)
        publish = pb.PublishPolicyRequest(request_id=uuid7(clock.now_us()), policy=policy)
        await visitor.call(PrincipalKind.OPERATOR, "PublishPolicy", publish)
        choice = pb.RecordChoiceRequest(request_id=uuid7(clock.now_us()), choice=a_deny(7))
        recorded = await visitor.call(PrincipalKind.OPERATOR, "RecordChoice", choice)
        process.send_signal(signal.SIGKILL)
        await process.wait()

    async with a_process(tmp_path) as (_, address):
        visitor = Visitor(tmp_path, address)
        async with asyncio.timeout(PATIENCE_SECONDS):
            answer = await visitor.check((7,), (8,))
            while answer.policy_version == 0:
                answer = await visitor.check((7,), (8,))
        repeated = await visitor.call(PrincipalKind.OPERATOR, "RecordChoice", choice)

    assert [reason_name(reason) for reason in answer.reasons] == ["CHOICE_DENIES", "ALLOWED"]
    assert answer.revision.number > recorded.revision.number
    assert (repeated.revision, repeated.stated_at) == (recorded.revision, recorded.stated_at)


async def test_a_service_that_is_told_to_stop_ends_in_order(tmp_path: Path) -> None:
    async with a_process(tmp_path) as (process, address):
        await Visitor(tmp_path, address).check()
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_SECONDS):
            code = await process.wait()

    assert code == 0
