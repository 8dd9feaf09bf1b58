"""Nobody uses up the room of others on the routes that need no metering: users can say no whoever floods."""

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from services.chassis.clock import SystemClock
from services.chassis.identity import PrincipalKind
from services.chassis.ids import uuid7
from tests.support.clock import ManualClock
from tests.support.consent_callers import Consent, running
from tests.support.envoy import PLENTY, an_envoy, some_values
from tests.support.forging import Workshop
from tests.support.gateway_callers import Outcome, in_json
from tests.support.gateway_world import a_world
from tests.support.oidc import ELSEWHERE, FOR_US, claims_elsewhere

TOO_MANY = Outcome(8, "GATEWAY_RATE_LIMITED")
OWN = "127.0.0.0/24"
DENY = {"stance": "STANCE_DENY", "everyone": True, "allPurposes": True}


@dataclass(frozen=True)
class Door:
    """A gateway before consent alone."""

    consent: Consent
    http: httpx.AsyncClient

    def shown(self, subject: int, kind: PrincipalKind = PrincipalKind.SUBJECT) -> dict[str, str]:
        return {"authorization": f"Bearer {self.consent.token(kind, str(subject))}"}

    async def looks(self, shown: dict[str, str], path: str = "/v1/caller") -> Outcome:
        return in_json(await self.http.get(path, headers=shown))

    async def denies(self, subject: int, shown: dict[str, str]) -> Outcome:
        body = {"requestId": uuid7(SystemClock().now_us()), "choice": DENY}
        return in_json(await self.http.post(f"/v1/subjects/{subject}/choices", json=body, headers=shown))


@contextlib.asynccontextmanager
async def a_door(folder: Path, **limits: object) -> AsyncIterator[Door]:
    """Licensing and metering are stopped."""
    async with running(folder, ManualClock(SystemClock().now_us())) as consent:
        await consent.put_in_force(1, 2)
        values = some_values(folder, {"consent": consent.address}, limits={**PLENTY, **limits})
        async with an_envoy(values, folder) as envoy, httpx.AsyncClient(base_url=envoy.url) as client:
            yield Door(consent, client)


async def test_while_one_user_floods_every_deny_of_another_gets_through(tmp_path: Path) -> None:
    limits = {"calls_a_second": 20, "networks": {OWN: 5_000}, "caller_calls_a_second": 5}
    async with a_door(tmp_path, **limits) as door:
        flooding, quiet = door.shown(1), door.shown(2)
        heard: list[Outcome] = []

        async def flood() -> None:
            while True:
                heard.append(await door.looks(flooding))

        began = time.monotonic()
        floods = [asyncio.create_task(flood()) for _ in range(4)]
        told = []
        for _ in range(8):
            told.append(await door.denies(2, quiet))
            await asyncio.sleep(0.25)
        for each in floods:
            each.cancel()
        await asyncio.gather(*floods, return_exceptions=True)
        seconds = time.monotonic() - began

    assert told == [Outcome(0)] * 8
    let_in = heard.count(Outcome(0))
    # A bucket that is full at first, and filled once a second.
    assert let_in <= 5 * (1 + math.ceil(seconds))
    assert heard.count(TOO_MANY) == len(heard) - let_in > 50


async def test_a_network_that_is_not_named_has_the_room_of_any(tmp_path: Path) -> None:
    async with a_door(tmp_path, calls_a_second=3, networks={"10.4.0.0/24": 5_000}) as door:
        heard = await asyncio.gather(*(door.looks(door.shown(1)) for _ in range(12)))

    assert TOO_MANY in heard


async def test_a_subject_and_an_agent_of_one_name_are_two_callers(tmp_path: Path) -> None:
    async with a_door(tmp_path, caller_calls_a_second=1) as door:
        subject, agent = door.shown(1), door.shown(1, PrincipalKind.AGENT)
        for _ in range(5):
            last = await door.looks(subject)
        other = await door.looks(agent)

    assert last == TOO_MANY
    assert other != TOO_MANY


async def test_exports_of_a_subject_are_few_and_nobody_elses(tmp_path: Path) -> None:
    async with a_door(tmp_path, exports_an_hour=2) as door:
        path = "/v1/subjects/{}:export"
        own = [await door.looks(door.shown(1), path.format(1)) for _ in range(4)]
        others = await door.looks(door.shown(2), path.format(2))
        elsewhere = await door.looks(door.shown(1))

    assert own == [Outcome(0)] * 2 + [TOO_MANY] * 2
    assert own[-1].http == 429
    assert (others, elsewhere) == (Outcome(0), Outcome(0))


async def test_a_caller_is_forgotten_after_as_many_others_as_are_remembered(tmp_path: Path) -> None:
    async with a_door(tmp_path, exports_an_hour=1, callers=2) as door:
        own, path = door.shown(1), "/v1/subjects/1:export"
        before = [await door.looks(own, path) for _ in range(2)]
        for other in (2, 3, 4):
            await door.looks(door.shown(other), f"/v1/subjects/{other}:export")
        after = await door.looks(own, path)

    assert before == [Outcome(0), TOO_MANY]
    assert after == Outcome(0)


async def test_users_of_an_issuer_elsewhere_are_told_apart_by_the_claim_that_names_them(
    tmp_path: Path,
) -> None:
    shop = Workshop()
    issuer = {"name": "users", "issuer": ELSEWHERE, "audiences": [FOR_US], "subject_claim": "uid"}
    issuers = [{**issuer, "jwks_file": shop.publish(tmp_path / "elsewhere.json")}]
    limits = {**PLENTY, "exports_an_hour": 1}

    def shown(uid: str) -> dict[str, str]:
        expires = SystemClock().now_us() // 1_000_000 + 60
        return {"authorization": f"Bearer {shop.token(claims=claims_elsewhere(shop, uid=uid, exp=expires))}"}

    async with a_world() as world:
        values = some_values(tmp_path, world.upstreams, issuers=issuers, limits=limits)
        async with an_envoy(values, tmp_path) as envoy, httpx.AsyncClient(base_url=envoy.url) as client:
            path = "/v1/subjects/7:export"
            told = [in_json(await client.get(path, headers=shown(uid))) for uid in ("7", "7", "8")]

    assert told == [Outcome(0), TOO_MANY, Outcome(0)]
