"""How the answers for the batches of a file add up to a dry run."""

import numpy as np

from services.console.dry_runs import DryRun, as_values
from services.console.explained_posts import Explained
from sluice.licensing.v1.explanation_service_pb2 import AllowanceStanding, ExplainReleaseResponse
from sluice.licensing.v1.reason_pb2 import Reason
from sluice.licensing.v1.release_service_pb2 import RoomDenial
from sluice_gate.batching import Batch
from sluice_gate.posts import Broken, Post, Record
from sluice_gate.reading.lines import Span

POST = Post(1, 1, 1, 0, "en", 1, ())
DAY = AllowanceStanding(allowance="license acme, rolling_day", limit=10, used=7)
SECOND = AllowanceStanding(allowance="license acme, second", limit=5, used=9)


def one(
    *reasons_of_each: tuple[Reason, ...],
    at: int = 1,
    standings: tuple[AllowanceStanding, ...] = (DAY,),
    ordinal: int = 0,
    never_fits: bool = False,
) -> Explained:
    """A batch whose posts have these reasons, the first of which counts."""
    sets = [sum(1 << reason for reason in reasons) for reasons in reasons_of_each]
    answer = ExplainReleaseResponse(
        reasons=bytes(reasons[0] for reasons in reasons_of_each),
        all_reasons=np.array(sets, "<u8").tobytes(),
        license_version=3,
        allowances=standings,
        room_denial=RoomDenial(never_fits=never_fits),
    )
    answer.explained_at.FromMicroseconds(at)
    records = [Record(POST, b"", 0, 1) for _ in reasons_of_each]
    return Explained(Batch(ordinal, Span(0, 1, 1), 2, records), answer)


def test_want_of_room_is_not_counted_as_a_denial_but_told_as_room() -> None:
    found = DryRun()

    found.add(one((Reason.REASON_RELEASED,), (Reason.REASON_NO_ROOM,), (Reason.REASON_NO_ROOM,)))
    found.add(one((Reason.REASON_NO_ROOM,), (Reason.REASON_NO_ROOM,)))

    assert (found.asked, found.releasable, found.room_left) == (5, 5, 3)
    assert found.denied == {}


def test_a_batch_goes_whole_or_not_at_all_in_the_order_of_the_file() -> None:
    found = DryRun()

    found.add(one(*[(Reason.REASON_RELEASED,)] * 2, ordinal=2))
    found.add(one(*[(Reason.REASON_NO_ROOM,)] * 11, ordinal=0, never_fits=True))
    found.add(one(*[(Reason.REASON_RELEASED,)] * 2, ordinal=1))

    assert (found.room_left, found.released_now, found.never_fit) == (3, 2, 11)


def test_a_reason_is_counted_once_where_it_counts_and_wherever_it_applies() -> None:
    found = DryRun()

    found.add(
        one(
            (Reason.REASON_KIND_NOT_LICENSED, Reason.REASON_CHOICE_DENIES),
            (Reason.REASON_CHOICE_DENIES,),
            (Reason.REASON_RELEASED,),
        )
    )

    assert found.denied == {"kind_not_licensed": 1, "choice_denies": 1}
    assert found.occurring == {"kind_not_licensed": 1, "choice_denies": 2}


def test_of_several_answers_the_latest_says_how_the_allowances_stand() -> None:
    found = DryRun()

    found.add(one((Reason.REASON_RELEASED,), at=2, standings=(SECOND,)))
    found.add(one((Reason.REASON_RELEASED,), at=1, standings=(DAY,)))
    found.add(one((Reason.REASON_FAULT_ID,), at=3, standings=()))

    assert found.standings == [SECOND]
    assert (found.room_left, found.released_now) == (0, 0)


def test_a_file_without_a_single_post_comes_to_nothing() -> None:
    found = DryRun()

    broken = Broken(1, 1, 0, 1, "not JSON")
    found.add(Explained(Batch(0, Span(0, 1, 1), 2, [], [broken]), ExplainReleaseResponse()))

    assert as_values(found, "acme", all_reasons=True) == {
        "license_id": "acme",
        "license_version": 0,
        "asked": 0,
        "releasable": 0,
        "released_now": 0,
        "never_fit": 0,
        "room_left": None,
        "denied": {},
        "all_reasons": {},
        "allowances": [],
        "broken": 1,
    }
