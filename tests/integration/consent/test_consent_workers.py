"""Workers of consent over one database: whichever answers knows every choice, and figures are of them all."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from services.chassis.clock import SystemClock
from services.chassis.identity import PrincipalKind
from services.chassis.ids import uuid7
from sluice.consent.v1 import choice_pb2, reason_pb2
from sluice.consent.v1 import consent_service_pb2 as pb
from tests.support.consent_fleet import CONSENT
from tests.support.keys import a_minter, some_keys
from tests.support.pools import ALONE, PoolProcess, a_pool
from tests.support.postgres import PostgresServer
from tests.support.willing_subjects import NOTICE, TRAINING, an_import, an_opt_out_policy

AUTHORS = range(1_000, 1_020)
SOON_US = 1_000_000
"""Until the policy takes effect; it may not be announced for the past."""
CHECKED = f'sluice_rpc_calls_total{{code="OK",method="{CONSENT}/CheckConsent"}}'
ALLOWED, DENIED = reason_pb2.CONSENT_REASON_ALLOWED, reason_pb2.CONSENT_REASON_CHOICE_DENIES


class Caller:
    """Calls consent over new connections, and counts the checks that were answered."""

    def __init__(self, address: str, folder: Path) -> None:
        self._address = address
        self._minter = a_minter(some_keys(folder))
        self._clock = SystemClock()
        self.checks = 0

    def new_id(self) -> str:
        return uuid7(self._clock.now_us())

    async def make_all_willing(self) -> None:
        await self.call("ImportSubjects", an_import(self.new_id(), AUTHORS), pb.ImportSubjectsResponse)
        policy = an_opt_out_policy(self.new_id(), self._clock.now_us() + SOON_US)
        await self.call("PublishPolicy", policy, pb.PublishPolicyResponse)
        while await self.reason(AUTHORS[0]) != ALLOWED:
            continue

    async def deny(self, author: int) -> None:
        choice = choice_pb2.Choice(
            subject_id=author,
            stance=choice_pb2.STANCE_DENY,
            everyone=True,
            all_purposes=True,
            method=choice_pb2.CHOICE_METHOD_SETTINGS,
            notice_digest=NOTICE,
        )
        request = pb.RecordChoiceRequest(request_id=self.new_id(), choice=choice)
        await self.call("RecordChoice", request, pb.RecordChoiceResponse)

    async def reason(self, author: int) -> int:
        request = pb.CheckConsentRequest(
            licensee_id="acme",
            purpose=TRAINING,
            post_ids=author.to_bytes(8, "little"),
            author_ids=author.to_bytes(8, "little"),
            embed_offsets=bytes(8),
            author_jurisdictions=["*"],
        )
        answer = await self.call("CheckConsent", request, pb.CheckConsentResponse, PrincipalKind.SERVICE)
        self.checks += 1
        return int(answer.reasons[0])

    async def call(
        self, method: str, request: Any, answer: Any, kind: PrincipalKind = PrincipalKind.OPERATOR
    ) -> Any:
        """Tried again for as long as nobody answers."""
        name = "licensing" if kind is PrincipalKind.SERVICE else "olivia"
        metadata = [("authorization", f"Bearer {self._minter.mint(kind, name, ['admin'])}")]
        while True:
            async with grpc.aio.insecure_channel(self._address, options=ALONE) as channel:
                call: Any = channel.unary_unary(
                    f"/{CONSENT}/{method}",
                    request_serializer=type(request).SerializeToString,
                    response_deserializer=answer.FromString,
                )
                try:
                    return await call(request, metadata=metadata)
                except grpc.aio.AioRpcError as error:
                    if error.code() is not grpc.StatusCode.UNAVAILABLE:
                        raise


@pytest.fixture
async def pool(tmp_path: Path, postgres: PostgresServer) -> AsyncIterator[PoolProcess]:
    url = postgres.new_database()
    settings = {"DATABASE_URL": url, "HEAD_DIR": str(tmp_path / "heads"), "WORKERS": "3"}
    async with a_pool("services.consent", "consent", tmp_path, settings) as pool:
        yield pool
    postgres.drop(url)


@pytest.mark.slow
async def test_a_choice_holds_with_every_worker_and_each_call_is_counted_once(
    pool: PoolProcess, tmp_path: Path
) -> None:
    caller = Caller(pool.address, tmp_path)
    await caller.make_all_willing()
    before = await asyncio.gather(*(caller.reason(author) for author in AUTHORS))

    for author in AUTHORS[:10]:
        await caller.deny(author)
    after = await asyncio.gather(*(caller.reason(author) for author in AUTHORS for _ in range(5)))
    figures = await pool.figures()
    pool.signal(signal.SIGTERM)
    status = await pool.ended()

    assert before == [ALLOWED] * 20
    assert after == [DENIED] * 50 + [ALLOWED] * 50
    assert figures[CHECKED] == caller.checks
    assert figures["sluice_workers"] == 3
    assert status == 0


@pytest.mark.slow
async def test_calls_go_on_and_stay_right_while_workers_are_killed(pool: PoolProcess, tmp_path: Path) -> None:
    caller, over = Caller(pool.address, tmp_path), asyncio.Event()
    await caller.make_all_willing()
    await caller.deny(AUTHORS[0])
    wrong: list[int] = []

    async def ask_on() -> None:
        while not over.is_set():
            if await caller.reason(AUTHORS[0]) != DENIED or await caller.reason(AUTHORS[1]) != ALLOWED:
                wrong.append(caller.checks)

    asking = asyncio.gather(*(ask_on() for _ in range(4)))
    killed = pool.workers()
    for pid in sorted(killed):
        os.kill(pid, signal.SIGKILL)
        replaced = await pool.logged("a worker is replaced")
        await pool.logged("serving", worker=replaced["number"])
    over.set()
    await asking

    assert wrong == []
    assert pool.workers().isdisjoint(killed)
    assert len(pool.workers()) == 3
