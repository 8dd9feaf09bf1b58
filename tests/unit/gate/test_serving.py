"""Serving what was asked for by post id: on the own clock, to whom it is for, and confirmed once."""

from dataclasses import dataclass, field

import pytest

from sluice.licensing.v1.release_service_pb2 import Delivery, DeliveryState, GetReleasedPostsResponse
from sluice_gate.errors import AnswerInvalid
from sluice_gate.serving import PostServing
from tests.support.gate import SECOND_US, GateClock

DECISION = "01999999-1111-7000-8000-000000000000"


def released(**changes: object) -> GetReleasedPostsResponse:
    """Posts 11 and 13 of ten, for acme and thirty seconds."""
    fields: dict[str, object] = {
        "licensee_id": "acme",
        "posts_asked": 10,
        "positions": [1, 8],
        "post_ids": [11, 13],
        "delivery": Delivery(state=DeliveryState.DELIVERY_STATE_OPEN),
        **changes,
    }
    answer = GetReleasedPostsResponse(**fields)  # type: ignore[arg-type]
    answer.valid_for.FromSeconds(30)
    return answer


@dataclass
class Licensing:
    """Answers as it is told, after `takes_us`."""

    clock: GateClock
    answer: GetReleasedPostsResponse
    takes_us: int = 0
    confirmed: list[tuple[str, bytes]] = field(default_factory=list)

    async def released(self, decision_id: str) -> GetReleasedPostsResponse:
        self.clock.advance(self.takes_us)
        return self.answer

    async def confirm(self, decision_id: str, delivered: bytes) -> Delivery:
        self.confirmed.append((decision_id, delivered))
        return Delivery(state=DeliveryState.DELIVERY_STATE_CONFIRMED)


def serving(answer: GetReleasedPostsResponse, takes_us: int = 0) -> tuple[PostServing, Licensing, GateClock]:
    clock = GateClock()
    licensing = Licensing(clock, answer, takes_us)
    return PostServing(licensing, clock), licensing, clock


async def test_the_validity_counts_from_the_sending_on_the_own_clock() -> None:
    gate, _, clock = serving(released(), takes_us=10 * SECOND_US)

    posts = await gate.open(DECISION, "acme")
    clock.advance(20 * SECOND_US - 1)
    before = posts.may_serve()
    clock.advance(1)

    assert posts.ids == (11, 13)
    assert (before, posts.may_serve()) == (True, False)


async def test_what_was_served_is_confirmed_at_its_places_in_the_request() -> None:
    gate, licensing, _ = serving(released())

    delivery = await gate.confirm(await gate.open(DECISION, "acme"), [13])

    assert licensing.confirmed == [(DECISION, bytes([0, 0b1]))]
    assert delivery.state == DeliveryState.DELIVERY_STATE_CONFIRMED


async def test_a_post_that_was_not_to_be_served_cannot_be_confirmed() -> None:
    gate, licensing, _ = serving(released())

    with pytest.raises(KeyError):
        await gate.confirm(await gate.open(DECISION, "acme"), [12])

    assert licensing.confirmed == []


@pytest.mark.parametrize(
    "answer",
    [
        released(is_void=True),
        released(delivery=Delivery(state=DeliveryState.DELIVERY_STATE_CONFIRMED)),
        released(delivery=Delivery(state=DeliveryState.DELIVERY_STATE_EXPIRED)),
        released(delivery=Delivery()),
    ],
    ids=["void", "confirmed before", "expired", "not said"],
)
async def test_nothing_is_served_on_what_is_over_or_closed(answer: GetReleasedPostsResponse) -> None:
    gate, _, _ = serving(answer)

    posts = await gate.open(DECISION, "acme")

    assert (posts.ids, posts.may_serve()) == ((), False)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (released(licensee_id="rival"), "DECISION_OF_ANOTHER"),
        (released(positions=[1]), "ANSWER_CONTRADICTS"),
        (released(positions=[8, 1]), "ANSWER_CONTRADICTS"),
        (released(positions=[1, 10]), "ANSWER_CONTRADICTS"),
        (released(post_ids=[11, 11]), "ANSWER_CONTRADICTS"),
    ],
)
async def test_an_answer_for_another_or_one_that_does_not_fit_serves_nothing(
    answer: GetReleasedPostsResponse, reason: str
) -> None:
    gate, _, _ = serving(answer)

    with pytest.raises(AnswerInvalid) as refused:
        await gate.open(DECISION, "acme")

    assert refused.value.reason == reason
