"""Reducing holds and going through reservations over gRPC; what usage, watching and the audit say of it."""

from typing import Any

import pytest
from sqlalchemy import text

from services.chassis.database import Database
from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Kind, Refusal
from services.metering.storage.projecting import SqlProjections
from services.metering.storage.share_checks import CHECK
from sluice.metering.v1 import metering_service_pb2 as pb
from sluice.metering.v1.access_pb2 import ContentCount
from sluice.metering.v1.metering_service_pb2_grpc import MeteringServiceStub
from sluice.type.v1.content_pb2 import CONTENT_KIND_POST, CONTENT_KIND_REPLY
from tests.support.clock import NOON_US, ManualClock
from tests.support.grpc import LocalServer
from tests.support.metering import an_id
from tests.support.metering_messages import posts
from tests.support.metering_usage import ACCESS, GATE, UsageCaller, an_access, of_party

POSTS = "kind 1 with media 0 by access 3"
OF_PARTY = "(SELECT id FROM accounts WHERE scope = 2)"


class Caller:
    """Calls MeteringService as one principal."""

    def __init__(self, server: LocalServer, kind: PrincipalKind = PrincipalKind.SERVICE) -> None:
        self._peer = server.peer(kind, "licensing")
        self._stub = MeteringServiceStub(self._peer.channel)

    async def __call__(self, request: Any) -> Any:
        method = type(request).__name__.removesuffix("Request")
        return await self._peer.call(getattr(self._stub, method), request)

    async def reduce(self, n: int, *keep: ContentCount) -> pb.Reservation:
        answer = await self(pb.ReduceHoldRequest(reservation_id=an_id(n), keep=keep))
        assert isinstance(answer, pb.ReduceHoldResponse)
        return answer.reservation

    async def refusal(self, request: Any) -> tuple[Kind, str, list[str]]:
        with pytest.raises(Refusal) as refused:
            await self(request)
        fields = [violation.field for violation in refused.value.violations]
        return refused.value.kind, refused.value.reason, fields


@pytest.fixture
def metering(server: LocalServer) -> Caller:
    return Caller(server)


async def test_m2_a_reduced_reservation_adds_up(call: UsageCaller, metering: Caller) -> None:
    await call.reserve(1, 5)

    reduced = await metering.reduce(1, posts(3))
    found = await metering(pb.GetReservationRequest(reservation_id=an_id(1)))
    held = await metering(pb.ListHoldsRequest())

    assert reduced == found.reservation == held.holds[0]
    assert reduced == pb.Reservation(
        reservation_id=an_id(1),
        request_key="request-1",
        party_id="acme",
        state=pb.RESERVATION_STATE_HELD,
        counted_at=reduced.counted_at,
        posts_reserved=5,
        posts_freed=2,
        license_id="license-1",
        access=ACCESS,
        reserved=[posts(5)],
        held=[posts(3)],
    )
    assert reduced.counted_at.ToMicroseconds() == NOON_US


async def test_m4_reserve_gives_its_first_answer_after_a_reduction(
    call: UsageCaller, metering: Caller
) -> None:
    await call.reserve(1, 5)
    await metering.reduce(1, posts(3))

    answer = await call.reserve(1, 5)

    assert (answer.state, list(answer.held)) == (pb.RESERVATION_STATE_HELD, [posts(5)])


async def test_m2_bad_reductions_are_refused(call: UsageCaller, metering: Caller) -> None:
    await call.reserve(1, 5)

    def keeping(*keep: ContentCount, id: str = an_id(1)) -> pb.ReduceHoldRequest:
        return pb.ReduceHoldRequest(reservation_id=id, keep=keep)

    invalid, precondition = (Kind.INVALID, "INVALID_REQUEST"), (Kind.PRECONDITION, "KEEPS_MORE_THAN_HELD")
    reply = ContentCount(kind=CONTENT_KIND_REPLY, posts=1)
    assert await metering.refusal(keeping()) == (*invalid, ["keep"])
    assert await metering.refusal(keeping(posts(0))) == (*invalid, ["keep[0].posts"])
    assert await metering.refusal(keeping(posts(1), posts(1))) == (*invalid, ["keep[1]"])
    assert await metering.refusal(keeping(posts(6))) == (*precondition, ["keep"])
    assert await metering.refusal(keeping(posts(1), reply)) == (*precondition, ["keep"])
    assert await metering.refusal(keeping(posts(1), id="no uuid")) == (*invalid, ["reservation_id"])
    unknown = keeping(posts(1), id=an_id(2))
    assert await metering.refusal(unknown) == (Kind.NOT_FOUND, "RESERVATION_UNKNOWN", [])
    assert list((await call.reserve(1, 5)).held) == [posts(5)]


async def test_nobody_but_a_service_reduces_and_outsiders_list_nothing(server: LocalServer) -> None:
    reads = [
        pb.GetReservationsRequest(reservation_ids=[an_id(1)]),
        pb.ListReservationsRequest(),
    ]
    for kind in set(PrincipalKind) - {PrincipalKind.SERVICE}:
        other = Caller(server, kind)
        refused = await other.refusal(pb.ReduceHoldRequest())
        assert refused[:2] == (Kind.FORBIDDEN, "NOT_ADMITTED")
        for request in reads:
            if kind in {PrincipalKind.OPERATOR, PrincipalKind.AUDITOR}:
                assert (await other(request)).revision.epoch == 1
            else:
                assert (await other.refusal(request))[:2] == (Kind.FORBIDDEN, "NOT_ADMITTED")


async def walk(metering: Caller, request: pb.ListReservationsRequest) -> list[int]:
    """Which reservations the pages have, in order."""
    found: list[int] = []
    while True:
        page = await metering(request)
        found += [int(each.reservation_id[-12:], 16) for each in page.reservations]
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


async def test_reservations_are_paged_in_the_order_of_their_first_word(
    call: UsageCaller, metering: Caller, clock: ManualClock
) -> None:
    for n in (5, 4, 3):
        await call.reserve(n, 1)
        clock.advance(1)
    await call.cancel(2)
    await call.settle(5, 1)
    await call.record(1, 2)

    listed = await walk(metering, pb.ListReservationsRequest(page_size=2))
    later = await walk(metering, pb.ListReservationsRequest(page_size=2, after_reservation_id=an_id(3)))
    of_an_age = pb.ListReservationsRequest()
    of_an_age.counted_before.FromMicroseconds(NOON_US + 1)

    assert listed == [5, 4, 3, 2, 1]
    assert later == [2, 1]
    assert await walk(metering, of_an_age) == [5, 2]


async def test_a_walk_begins_after_nothing_that_is_unknown_or_made_up(metering: Caller) -> None:
    unknown = pb.ListReservationsRequest(after_reservation_id=an_id(1))
    made_up = pb.ListReservationsRequest(page_token="AAAA")
    no_id = pb.ListReservationsRequest(after_reservation_id="no uuid")

    assert await metering.refusal(unknown) == (Kind.NOT_FOUND, "RESERVATION_UNKNOWN", [])
    assert await metering.refusal(made_up) == (Kind.INVALID, "PAGE_TOKEN_INVALID", ["page_token"])
    assert await metering.refusal(no_id) == (Kind.INVALID, "INVALID_REQUEST", ["after_reservation_id"])


async def test_several_reservations_are_answered_as_of_one_moment(
    call: UsageCaller, metering: Caller
) -> None:
    for n in (1, 2):
        await call.reserve(n, 5)
    await call.settle(2, 4)

    answer = await metering(pb.GetReservationsRequest(reservation_ids=[an_id(n) for n in (2, 9, 1, 2)]))

    alone = [await metering(pb.GetReservationRequest(reservation_id=an_id(n))) for n in (2, 1)]
    assert list(answer.reservations) == [each.reservation for each in alone]
    assert (answer.revision.epoch, answer.revision.number) == (1, 3)


@pytest.mark.parametrize(
    ("ids", "field"),
    [
        ([], "reservation_ids"),
        ([an_id(n) for n in range(1_001)], "reservation_ids"),
        ([an_id(1), "no uuid"], "reservation_ids[1]"),
        ([an_id(1), "00000000-0000-7000-8000-00000000000A"], "reservation_ids[1]"),
    ],
    ids=["none", "too many", "no id", "another spelling"],
)
async def test_a_broken_list_of_ids_is_refused(metering: Caller, ids: list[str], field: str) -> None:
    refusal = await metering.refusal(pb.GetReservationsRequest(reservation_ids=ids))

    assert refusal == (Kind.INVALID, "INVALID_REQUEST", [field])


async def test_usage_tells_what_is_still_held_before_and_after_the_sums_are_made(
    call: UsageCaller, metering: Caller, database: Database
) -> None:
    await call.reserve(1, 7)
    await call.reserve(2, 5)
    await metering.reduce(1, posts(3))
    await metering.reduce(2, posts(4))
    await call.settle(2, 4)

    behind = await call.rows(of_party())
    while await SqlProjections(database).advance():
        pass

    assert behind == await call.rows(of_party()) == [(GATE, ACCESS, CONTENT_KIND_POST, 0, 4, 3)]
    assert await call.peaks(of_party()) == [(7, NOON_US)]


async def reduce_at_one_time(call: UsageCaller, metering: Caller, database: Database) -> None:
    """Of one time and alike: reduced and held, reduced twice and settled, cancelled, and not reduced."""
    await call.move("acme", "red", 0)
    for n in range(1, 6):
        await call.reserve(n, 5)
    for n, kept in ((1, 4), (2, 4), (2, 3), (3, 3)):
        await metering.reduce(n, posts(kept))
    await call.settle(2, 2)
    await call.cancel(3)
    await call.settle(4, 4)
    await call.report(an_access("a", posts=3, reservation_id=an_id(2)))
    while await SqlProjections(database).advance():
        pass


async def test_the_audit_finds_nothing_where_holds_of_one_time_were_reduced(
    call: UsageCaller, metering: Caller, database: Database
) -> None:
    await reduce_at_one_time(call, metering, database)

    assert await call.named_differences() == {}


def of_reservation(n: int, what: str, *sides: str) -> list[tuple[str, ...]]:
    return [
        (f"reservation {an_id(n)}: {what} in {account}", *sides)
        for account in ("group red", "license license-1", "licensee acme")
    ]


REDUCTION_OF_1 = (
    f"number = (SELECT number FROM reductions WHERE reservation_number = (SELECT number FROM reservations"
    f" WHERE reservation_id = '{an_id(1)}'))"
)
DOCTORED: dict[str, tuple[str, str, list[tuple[str, ...]]]] = {
    "kept as other content": (
        f"UPDATE reservations SET kept = '[[2,0,4]]' WHERE reservation_id = '{an_id(1)}'",
        CHECK,
        of_reservation(1, POSTS, "0", "4") + of_reservation(1, "kind 2 with media 0 by access 3", "4", "0"),
    ),
    "never reduced after all": (
        "UPDATE reservations SET kept = NULL, posts_kept = NULL, posts_freed = 0"
        f" WHERE reservation_id = '{an_id(1)}'",
        CHECK,
        of_reservation(1, POSTS, "5", "4") + of_reservation(1, "posts held", "5", "4"),
    ),
    "kept less than was freed": (
        f"UPDATE reservations SET posts_kept = 3 WHERE reservation_id = '{an_id(1)}'",
        "Each reservation: reserved = still held + settled + freed",
        [(f"reservation {an_id(1)}", "5", "4")],
    ),
    "freed twice": (
        f"UPDATE entries SET held = -2, counts = '[[1,0,-2]]' WHERE account_id = {OF_PARTY}"
        f" AND {REDUCTION_OF_1}",
        CHECK,
        [
            (f"reservation {an_id(1)}: {POSTS} in licensee acme", "4", "3"),
            (f"reservation {an_id(1)}: posts held in licensee acme", "4", "3"),
        ],
    ),
    "entry of a reduction that is gone": (
        f"DELETE FROM entries WHERE account_id = {OF_PARTY} AND {REDUCTION_OF_1}",
        CHECK,
        [
            (f"reservation {an_id(1)}: {POSTS} in licensee acme", "4", "5"),
            (f"reservation {an_id(1)}: posts held in licensee acme", "4", "5"),
        ],
    ),
}


@pytest.mark.parametrize("doctored", DOCTORED)
async def test_the_audit_names_the_reduced_reservation_that_does_not_add_up(
    call: UsageCaller, metering: Caller, database: Database, doctored: str
) -> None:
    statement, check, differences = DOCTORED[doctored]
    await reduce_at_one_time(call, metering, database)

    changed = await database.write(lambda connection: connection.execute(text(statement)).rowcount)

    assert changed == 1
    assert sorted((await call.named_differences())[check]) == sorted(differences)
