"""What receipts absorb of accesses seen elsewhere, against the slow, obvious truth (M7)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hypothesis import given
from hypothesis import strategies as st

from services.metering.domain.absorption import NOTHING_ABSORBED, Step, is_of, reported, settled
from services.metering.domain.reservations import Access
from services.metering.domain.seen import AccessKey, Kept, Seen
from tests.support.metering import a_wanted, an_id

POST = 1


def a_sighting(number: int, at_us: int, posts: int = 1, *, id: str = "", source: str = "edge") -> Kept:
    """An access to plain posts, of which nothing is absorbed; its id is its number unless said."""
    key = AccessKey(source, id or f"id:{number}")
    return Kept(Seen(key, "licensee-1", at_us, Access.ACCESS, POST, 0, posts, an_id(1)), number, absorbed=0)


def absorption(posts_settled: int, shown: Iterable[Kept]) -> Mapping[AccessKey, int]:
    """All of it at once, from everything that there is."""
    left = posts_settled
    absorbed: dict[AccessKey, int] = {}
    for kept in sorted(shown, key=lambda kept: (kept.seen.at_us, kept.seen.key)):
        absorbed[kept.seen.key] = min(left, kept.seen.posts)
        left -= absorbed[kept.seen.key]
    return absorbed


@dataclass
class Receipt:
    """Keeps accesses as a database does, and counts how many are read."""

    settled: int = 0
    kept: dict[int, Kept] = field(default_factory=dict)
    read: int = 0

    absorbed = NOTHING_ABSORBED

    def settle(self, posts: int) -> None:
        self.settled = posts
        self._take(settled(posts, self._in_order(self.kept.values())))

    def report(self, *page: Kept) -> Step | None:
        step = None
        if self.settled:
            earlier = self._in_order((each for each in self.kept.values() if each.absorbed), backwards=True)
            step = reported(self.settled, self.absorbed, earlier, page)
        new = step.new if step else {}
        self.kept |= {each.number: replace(each, absorbed=new.get(each.seen.key, 0)) for each in page}
        if step:
            self._take(step)
        return step

    def of_each(self) -> Mapping[AccessKey, int]:
        return {each.seen.key: each.absorbed for each in self.kept.values()}

    def _take(self, step: Step) -> None:
        self.absorbed = step.absorbed
        for change in step.changes:
            self.kept[change.kept.number] = replace(change.kept, absorbed=change.absorbed)

    def _in_order(self, kept: Iterable[Kept], *, backwards: bool = False) -> Iterator[Kept]:
        for each in sorted(kept, key=lambda kept: (kept.seen.at_us, kept.seen.key), reverse=backwards):
            self.read += 1
            yield each


# Few times and sources, so that many accesses stand at the same place but for their ids.
_LINES = st.lists(
    st.tuples(st.integers(0, 5), st.integers(1, 4), st.sampled_from(["Edge", "edge", "é", "z"])), max_size=30
)


@given(_LINES, st.integers(0, 40), st.integers(0, 30), st.integers(1, 7))
def test_m7_what_is_absorbed_is_the_same_in_any_order_and_in_pages_of_any_size(
    lines: Sequence[tuple[int, int, str]], posts: int, before: int, page: int
) -> None:
    shown = [
        a_sighting(number, at_us, count, source=source)
        for number, (at_us, count, source) in enumerate(lines, 1)
    ]
    receipt = Receipt()

    for start in range(0, before, page):
        receipt.report(*shown[:before][start : start + page])
    receipt.settle(posts)
    for start in range(before, len(shown), page):
        receipt.report(*shown[start : start + page])

    truth = absorption(posts, shown)
    last = max((each for each in shown if truth[each.seen.key]), key=_place, default=None)
    assert receipt.of_each() == truth
    assert receipt.absorbed.posts == sum(truth.values())
    assert receipt.absorbed.last_number == (last.number if last else 0)


@given(_LINES, st.integers(1, 20))
def test_m7_each_access_that_is_displaced_is_named_with_the_one_that_took_its_place(
    lines: Sequence[tuple[int, int, str]], posts: int
) -> None:
    receipt = Receipt(settled=posts)
    for number, (at_us, count, source) in enumerate(lines, 1):
        before = receipt.of_each()
        new = a_sighting(number, at_us, count, source=source)

        step = receipt.report(new)

        assert step is not None
        lost = {key: was for key, was in before.items() if receipt.of_each()[key] < was}
        assert {change.kept.seen.key: change.kept.absorbed for change in step.changes} == lost
        assert all(change.by == new for change in step.changes)
        assert all(_place(change.kept) > _place(new) for change in step.changes)


def test_m7_of_several_that_came_earlier_the_nearest_took_the_place() -> None:
    receipt = Receipt(settled=4)
    receipt.report(a_sighting(1, 10), a_sighting(2, 20), a_sighting(3, 30), a_sighting(4, 40))

    step = receipt.report(a_sighting(5, 5), a_sighting(6, 25))

    assert step is not None
    named = [(change.kept.number, change.by.number) for change in step.changes if change.by]
    assert named == [(4, 6), (3, 6)]


def test_m7_a_page_reads_no_more_than_it_displaces_and_one_access_more() -> None:
    receipt = Receipt(settled=1_000)
    receipt.report(*(a_sighting(n, 10 * n) for n in range(1, 1_001)))
    receipt.read = 0

    receipt.report(a_sighting(2_000, 1), a_sighting(2_001, 2, 2), a_sighting(2_002, 10_005, 1_000_000))

    assert receipt.read == 4
    assert receipt.of_each() == absorption(1_000, receipt.kept.values())


def test_m7_a_settlement_reads_no_more_than_it_absorbs() -> None:
    receipt = Receipt()
    receipt.report(*(a_sighting(n, n) for n in range(1, 1_001)))

    receipt.settle(3)

    assert receipt.read == 3
    assert receipt.absorbed.posts == 3


def test_m7_another_party_and_m5_another_kind_are_not_the_release() -> None:
    wanted = a_wanted(1, party_id="licensee-1")
    seen = replace(a_sighting(1, 0).seen, access=wanted.access)

    assert is_of(seen, wanted)
    assert not is_of(replace(seen, party_id="other"), wanted)
    assert not is_of(replace(seen, access=Access.REQUEST), wanted)


def _place(kept: Kept) -> tuple[int, AccessKey]:
    return kept.seen.at_us, kept.seen.key
