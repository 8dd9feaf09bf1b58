"""Why a post is not available is no licensee's business: no byte that they get depends on it."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from services.licensing.desk import manifest_for
from services.licensing.domain.answers import ConsentAnswer, Hold, NoRoom, Revision
from services.licensing.domain.asking import ByIds, PostIds, resolve, without_room
from services.licensing.domain.decisions import Asker, Draft, Request
from services.licensing.domain.deliveries import delivery_of
from services.licensing.domain.licenses import License
from services.licensing.domain.posts import Batch
from services.licensing.domain.reasons import COARSE, REASON_OF_CONSENT, Reason, Verdict
from services.licensing.domain.terms import ContentKind
from services.licensing.evaluation import evaluate
from services.licensing.rpc.decision_messages import coarse, decision_message
from services.licensing.sealing import Seal
from tests.support.clock import NOON_US
from tests.support.licensing import TRAINING, a_batch, a_license, a_post

UNKNOWN = 0
"""In place of a byte of consent: the directory does not know the post."""
ALLOWED = 1
FULL = NoRoom("license acme-training, rolling_day", 1, None, retry_at_is_exact=False, never_fits=True)
DENIALS = [
    UNKNOWN,
    *(byte for byte in range(2, 19) if COARSE[REASON_OF_CONSENT[byte]] == Verdict.NOT_AVAILABLE),
]


@dataclass(frozen=True)
class World:
    """N posts with ids from 1, of kinds, and what becomes of each: a byte of consent, or UNKNOWN."""

    kinds: list[int]
    fates: list[int]


class Contracts:
    async def current(self, license_id: str) -> License:
        return a_license(kinds=frozenset({ContentKind.POST, ContentKind.REPLY}))


class Consent:
    def __init__(self, world: World, revision: int) -> None:
        self._world = world
        self._revision = revision

    async def check(self, batch: Batch, license: License, *_: object) -> ConsentAnswer:
        said = [self._world.fates[id - 1] for id in batch.ids.tolist()]
        # About a post that nobody knows it says that its author is not named, as it does of all such.
        bytes_ = np.array([14 if byte == UNKNOWN else byte for byte in said], np.uint8)
        return ConsentAnswer(
            REASON_OF_CONSENT[bytes_], Revision(1, self._revision), self._revision, NOON_US + 30_000_000
        )


class Signer:
    def sign(self, payload: bytes, decided_at_us: int) -> str:
        return payload.decode()


def told(world: World, revision: int, *, has_room: bool = True) -> tuple[bytes, dict[str, Any]]:
    """What a licensee gets who asks for all posts: the answer, and the claims of the receipt in it."""
    return asyncio.run(_told(world, revision, has_room=has_room))


async def _told(world: World, revision: int, *, has_room: bool) -> tuple[bytes, dict[str, Any]]:
    ids = PostIds.of("license-1", TRAINING, range(1, len(world.fates) + 1))
    known = [
        a_post(id, author_id=10 + id, kind=world.kinds[id - 1])
        for id in ids.ids.tolist()
        if world.fates[id - 1] != UNKNOWN
    ]
    batch, unknown = resolve(ids, a_batch(*known) if known else None)
    evaluated = await evaluate(
        batch, Contracts(), Consent(world, revision), judged_at_us=NOON_US, margin_us=0, unknown=unknown
    )
    request = Request(Asker("licensee-1", "licensee", "r"), batch, NOON_US, "", ByIds(ids, unknown, "probe"))
    goes = bool((evaluated.reasons == Reason.RELEASED).any())
    draft = Draft(
        attempt_id="attempt",
        decision_id="decision",
        salt=bytes(32),
        request=request,
        license=evaluated.license,
        judged_at_us=NOON_US,
        reasons=evaluated.reasons if has_room or not goes else without_room(evaluated.reasons),
        consent=evaluated.consent,
        hold=Hold("attempt", NOON_US) if goes and has_room else None,
        no_room=None if has_room or not goes else FULL,
    )
    decision = Seal(Signer(), 30_000_000).seal(draft, await manifest_for(draft), 1, NOON_US)
    claims = json.loads(decision.receipt)
    # Of columns that the licensee does not have, under a salt that they do not have.
    del claims["resolved_digest"]
    message = coarse(
        decision_message(decision, delivery_of(decision.posts_released, None, None), NOON_US, replayed=False)
    )
    message.ClearField("receipt")
    return message.SerializeToString(deterministic=True), claims


@st.composite
def two_worlds(draw: st.DrawFn) -> tuple[World, World]:
    """Worlds that differ only in why posts are not available. Unknown posts are of a kind that is covered."""
    kinds = draw(st.lists(st.sampled_from([1, 2, 4]), min_size=1, max_size=6))
    goes = [draw(st.booleans()) for _ in kinds]

    def fate(kind: int, may_go: bool) -> int:
        denials = DENIALS if kind in {1, 2} else [each for each in DENIALS if each != UNKNOWN]
        return ALLOWED if may_go else draw(st.sampled_from(denials))

    fates = [[fate(*each) for each in zip(kinds, goes, strict=True)] for _ in range(2)]
    return World(kinds, fates[0]), World(kinds, fates[1])


@settings(max_examples=60, deadline=None)
@given(two_worlds(), st.integers(1, 9), st.integers(1, 9))
def test_no_byte_that_a_licensee_gets_depends_on_why_a_post_is_not_available(
    worlds: tuple[World, World], revision: int, other_revision: int
) -> None:
    one, other = worlds

    assert told(one, revision) == told(other, other_revision)


@st.composite
def two_full_worlds(draw: st.DrawFn) -> tuple[World, World]:
    """Worlds of the same posts, some of which go in each; who lets them go is another matter in each."""
    kinds = [1, *draw(st.lists(st.sampled_from([1, 2, 4]), max_size=5))]

    def fates() -> list[int]:
        some = [
            draw(st.sampled_from([ALLOWED, *(each for each in DENIALS if kind != 4 or each != UNKNOWN)]))
            for kind in kinds
        ]
        return (
            some
            if any(s == ALLOWED and k != 4 for s, k in zip(some, kinds, strict=True))
            else [ALLOWED, *some[1:]]
        )

    return World(kinds, fates()), World(kinds, fates())


@settings(max_examples=60, deadline=None)
@given(two_full_worlds())
def test_where_there_is_no_room_no_byte_depends_on_who_would_let_their_posts_go(
    worlds: tuple[World, World],
) -> None:
    one, other = (told(world, 1, has_room=False) for world in worlds)

    assert one == other
    assert one[1]["counts"].keys() <= {"NO_ROOM", "NOT_COVERED"}


def test_the_worlds_of_the_property_hold_every_reason_that_consent_can_give_for_a_denial() -> None:
    named = {Reason(int(REASON_OF_CONSENT[byte])) for byte in DENIALS if byte != UNKNOWN}

    assert named == {reason for reason in Reason if 40 <= reason < Reason.POST_UNKNOWN}


def test_consent_is_asked_about_unknown_posts_as_about_all_others() -> None:
    asked: list[list[int]] = []

    class Listening(Consent):
        async def check(self, batch: Batch, license: License, *_: object) -> ConsentAnswer:
            asked.append(batch.ids.tolist())
            return await super().check(batch, license)

    async def ask(world: World) -> None:
        ids = PostIds.of("license-1", TRAINING, range(1, len(world.fates) + 1))
        batch, unknown = resolve(ids, None)
        consent = Listening(world, 1)
        await evaluate(batch, Contracts(), consent, judged_at_us=NOON_US, margin_us=0, unknown=unknown)

    asyncio.run(ask(World([1, 1], [UNKNOWN, UNKNOWN])))

    assert asked == [[1, 2]]
