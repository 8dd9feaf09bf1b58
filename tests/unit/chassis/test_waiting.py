"""How groups are formed of what waits: bulk goes a page at a time, and others have their turn between."""

import random
import threading

from services.chassis.waiting import ORDINARY, WaitingLine

PAGE = 5_000


def a_line(group_limit: int = 64) -> WaitingLine[str]:
    return WaitingLine(group_limit, bulk_limit=PAGE)


def add(line: WaitingLine[str], weight: int, *units: str) -> None:
    for unit in units:
        line.add(unit, weight)


def groups(line: WaitingLine[str], count: int) -> list[list[str]]:
    return [line.next_group() for _ in range(count)]


def test_of_eight_pages_one_is_in_a_group_and_reservations_have_their_turn_between() -> None:
    line = a_line(group_limit=3)
    add(line, PAGE, *(f"page {n}" for n in range(1, 9)))
    first = groups(line, 1)
    add(line, ORDINARY, "a", "b", "c", "d")
    second = groups(line, 3)
    add(line, ORDINARY, "e")
    rest = groups(line, 7)

    assert first == [["page 1"]]
    assert second == [["a", "b", "c"], ["page 2"], ["d"]]
    assert rest == [["page 3"], ["e"], *([f"page {n}"] for n in range(4, 9))]


def test_small_pages_share_a_group_up_to_the_weight_of_one_large_page() -> None:
    line = a_line()
    for unit, weight in (("half", PAGE // 2), ("other half", PAGE // 2), ("little", 2), ("huge", 2 * PAGE)):
        line.add(unit, weight)
    add(line, 2, "last")

    assert groups(line, 4) == [["half", "other half"], ["little"], ["huge"], ["last"]]


def test_ordinary_units_go_together_in_their_order() -> None:
    line = a_line(group_limit=2)
    add(line, ORDINARY, "a", "b", "c")

    assert groups(line, 2) == [["a", "b"], ["c"]]


def test_whatever_comes_when_each_kind_keeps_its_order_and_nothing_waits_for_two_pages() -> None:
    chance = random.Random(8)
    for _ in range(200):
        line, added, taken = a_line(group_limit=4), list[str](), list[list[str]]()
        for n in range(60):
            bulky = chance.random() < 0.3
            added.append(f"{'bulk' if bulky else 'ordinary'} {n}")
            line.add(added[-1], chance.randint(2, PAGE) if bulky else ORDINARY)
            while len(line) and chance.random() < 0.5:
                waited = [unit for unit in added if unit.startswith("ordinary")]
                waited = waited[sum(unit.startswith("ordinary") for group in taken for unit in group) :]
                taken.append(line.next_group())
                if waited and len(taken) > 1 and taken[-2][0].startswith("bulk"):
                    assert taken[-1] == waited[:4]
        line.close()
        taken += iter(line.next_group, [])

        units = [unit for group in taken for unit in group]
        for kind in ("bulk", "ordinary"):
            assert [each for each in units if each.startswith(kind)] == [
                each for each in added if each.startswith(kind)
            ]


def test_what_waits_when_it_closes_is_still_taken() -> None:
    line = a_line()
    add(line, ORDINARY, "a")
    add(line, PAGE, "page")
    line.close()

    assert groups(line, 3) == [["page"], ["a"], []]


def test_whoever_waits_for_a_group_is_woken_by_a_unit_and_by_the_end() -> None:
    line, taken = a_line(), list[list[str]]()
    waiting = threading.Thread(target=lambda: taken.extend(iter(line.next_group, [])))
    waiting.start()

    add(line, ORDINARY, "a")
    line.close()
    waiting.join(timeout=10)

    assert not waiting.is_alive()
    assert taken == [["a"]]
