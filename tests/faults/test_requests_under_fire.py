"""A licensee asks by post id while directory, licensing and metering are killed with -9; and asks again."""

import asyncio
import random
import sqlite3
from pathlib import Path

from services.chassis.dialing import Peer
from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Refusal
from services.console.connections import Connections
from services.console.credentials import PIPELINE, Local, TokenSource, own_tokens, token_source
from services.console.directory import put_posts
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1.reason_pb2 import Verdict
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub
from sluice.type.v1.purpose_pb2 import Purpose
from sluice_gate.columns import columns_of
from sluice_gate.posts import Post
from tests.support.fleet import NOTICE, Fleet, a_fleet
from tests.support.waiting import PATIENCE_SECONDS, until

REQUESTS, AT_ONCE = 40, 8
KNOWN, UNKNOWN = 12, 8
LIMIT = REQUESTS * UNKNOWN + KNOWN + UNKNOWN
"""All that is denied, and room for one request: a dead hold that nobody frees would be noticed."""
VICTIMS = ("directory", "licensing", "metering", "directory")
SWEEP_AGE_US = 1_000_000
SETTINGS = {"licensing": {"probes_per_day": str(LIMIT)}}
PROBES = "SELECT coalesce(sum(posts_settled), 0) FROM reservations WHERE party_id = 'probes.fire'"
HELD = "SELECT count(*) FROM reservations WHERE state = 1 AND party_id = 'probes.fire'"
SETTLED_FOR = "SELECT coalesce(sum(posts), 0), count(*) FROM probes"


async def test_each_request_is_decided_once_and_what_it_denied_is_counted_once(
    tmp_path: Path, seed: int
) -> None:
    print(f"FAULT_SEED={seed}")
    chance = random.Random(seed)
    async with a_fleet(tmp_path / "state", SETTINGS, directory=True) as fleet:
        await furnish(fleet, tmp_path)
        requests = [a_request(fleet, number) for number in range(REQUESTS)]
        peer = Peer(fleet.address("licensing"), licensee(fleet), name="licensing")
        answered = [0]

        async def under_fire() -> None:
            shots = sorted(chance.sample(range(1, REQUESTS), len(VICTIMS)))
            for shot, victim in zip(shots, VICTIMS, strict=True):
                await until(lambda: answered[0] >= shot, f"{shot} are answered")  # noqa: B023 - awaited here
                fleet.kill(victim)

        firing = asyncio.create_task(under_fire())
        first = await answers(peer, requests, answered)
        await firing
        await fleet.recovered()
        again = await answers(peer, requests, [0])
        await peer.close()
        denied = await at_rest(fleet)

    assert all(list(decision.verdicts) == EXPECTED for decision in first)
    assert [decision.receipt for decision in again] == [decision.receipt for decision in first]
    assert all(decision.replayed for decision in again)
    assert len({decision.decision_id for decision in first}) == REQUESTS
    assert denied == (REQUESTS * UNKNOWN, REQUESTS)


EXPECTED = [Verdict.VERDICT_RELEASED] * KNOWN + [Verdict.VERDICT_NOT_AVAILABLE] * UNKNOWN


async def furnish(fleet: Fleet, folder: Path) -> None:
    """A license, people who let their posts go, and a directory that knows a part of the posts."""
    await fleet.license("fire")
    rows = "".join(f"{subject},US,,{NOTICE}\n" for subject in range(1, 11))
    (folder / "subjects.csv").write_text("subject_id,jurisdiction,states,notice\n" + rows, encoding="utf-8")
    await fleet.import_subjects(folder / "subjects.csv")
    ids = [id for number in range(REQUESTS) for id in known(number)]
    posts = [Post(id, id % 10 + 1, 1, 0, "en", 1_600_000_000_000_000, ()) for id in ids]
    addresses = {"directory": fleet.address("directory")}
    async with Connections(addresses, token_source(fleet.state, None, PIPELINE)) as pipeline:
        await put_posts(pipeline, columns_of(posts))


def known(number: int) -> range:
    return range(number * 100 + 1, number * 100 + 1 + KNOWN)


def a_request(fleet: Fleet, number: int) -> pb.RequestReleaseRequest:
    """Posts of its own, the last of which nobody knows."""
    return pb.RequestReleaseRequest(
        request_id=fleet.new_id(),
        license_id="fire",
        purpose=Purpose.PURPOSE_AI_TRAINING_GENERATIVE,
        post_ids=[*known(number), *range(number * 100 + 50, number * 100 + 50 + UNKNOWN)],
    )


def licensee(fleet: Fleet) -> TokenSource:
    return own_tokens(fleet.state, Local(PrincipalKind.LICENSEE, "fire"))


async def answers(
    peer: Peer, requests: list[pb.RequestReleaseRequest], answered: list[int]
) -> list[pb.Decision]:
    """The answer to each, some at a time, asked for until there is one."""
    turns = asyncio.Semaphore(AT_ONCE)
    stub = ReleaseServiceStub(peer.channel)

    async def answer(request: pb.RequestReleaseRequest) -> pb.Decision:
        async with turns, asyncio.timeout(PATIENCE_SECONDS):
            while True:
                try:
                    decision = (await peer.call(stub.RequestRelease, request)).decision
                except Refusal as refusal:
                    _check_to_be_asked_again(refusal)
                    continue
                answered[0] += 1
                return decision

    return await asyncio.gather(*(answer(request) for request in requests))


def _check_to_be_asked_again(refusal: Refusal) -> None:
    if refusal.reason == "PROBES_EXHAUSTED":
        # Never for a day: in the way is what others hold for moments, or the dead until they are swept.
        assert refusal.retry_after_us is not None, refusal
        assert refusal.retry_after_us <= SWEEP_AGE_US, refusal
        return
    assert refusal.kind.value in {"unavailable", "aborted"}, refusal


async def at_rest(fleet: Fleet) -> tuple[int, int]:
    """Posts that metering has as denied, and requests that licensing has counted, once nothing is held."""

    def one(service: str, query: str) -> tuple[int, ...]:
        with sqlite3.connect(f"file:{fleet.database(service)}?mode=ro", uri=True) as connection:
            return tuple(connection.execute(query).fetchone())

    def is_told() -> bool:
        return one("metering", HELD) == (0,) and one("metering", PROBES) == one("licensing", SETTLED_FOR)[:1]

    await until(is_told, "nothing is held for probes, and metering has heard all", look_every=0.1)
    return one("metering", PROBES)[0], one("licensing", SETTLED_FOR)[1]
