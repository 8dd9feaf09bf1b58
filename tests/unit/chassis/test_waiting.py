"""How groups are formed of what waits: the urgent first, bulk a page at a time, and others between."""

import random
import threading

from services.chassis.waiting import ORDINARY, WaitingLine

PAGE = 5_000


def a_line(group_limit: int = 64, linger_seconds: float = 0.0) -> WaitingLine[str]:
    return WaitingLine(group_limit, PAGE, linger_seconds)


def add(line: WaitingLine[str], weight: int, *units: str) -> None:
    for unit in units:
        line.add(unit, weight)


def hurry(line: WaitingLine[str], *units: str) -> None:
    for unit in units:
        line.add(unit, ORDINARY, urgent=True)


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


def test_what_is_urgent_goes_first_in_a_group_of_its_own() -> None:
    line = a_line(group_limit=2)
    add(line, PAGE, "page")
    add(line, ORDINARY, "a")
    hurry(line, "suspend", "halt", "resume")

    assert groups(line, 4) == [["suspend", "halt"], ["resume"], ["page"], ["a"]]


def test_after_three_groups_of_what_is_urgent_others_have_their_turn() -> None:
    line = a_line(group_limit=1)
    add(line, ORDINARY, "a", "b")
    hurry(line, *"12345")

    assert groups(line, 7) == [["1"], ["2"], ["3"], ["a"], ["4"], ["5"], ["b"]]


def test_what_is_urgent_takes_no_turn_from_others_while_there_are_none() -> None:
    line = a_line(group_limit=1)
    hurry(line, *"12345")
    first = groups(line, 5)
    hurry(line, "6", "7", "8")
    add(line, ORDINARY, "a")

    assert first == [["1"], ["2"], ["3"], ["4"], ["5"]]
    assert groups(line, 4) == [["6"], ["7"], ["a"], ["8"]]


def test_a_page_is_not_urgent_whoever_says_so() -> None:
    line = a_line()
    line.add("page", PAGE, urgent=True)
    hurry(line, "suspend")

    assert groups(line, 2) == [["suspend"], ["page"]]


def test_the_next_unit_of_who_is_in_a_hurry_is_waited_for_before_others_are_taken() -> None:
    line, taken = a_line(linger_seconds=10.0), list[list[str]]()
    hurry(line, "begun")
    add(line, ORDINARY, "a")
    assert line.next_group() == ["begun"]

    waiting = threading.Thread(target=lambda: taken.append(line.next_group()))
    waiting.start()
    waiting.join(timeout=0.05)
    assert waiting.is_alive(), "it took what waits and did not linger"
    hurry(line, "suspend")
    waiting.join(timeout=5)

    assert taken == [["suspend"]]


def test_a_line_that_closes_waits_for_nobody_in_a_hurry() -> None:
    line = a_line(linger_seconds=1e9)
    hurry(line, "begun")
    add(line, ORDINARY, "a")
    first = line.next_group()
    line.close()

    assert [first, *groups(line, 2)] == [["begun"], ["a"], []]


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


def test_whatever_is_urgent_when_others_wait_for_three_groups_of_it_at_most() -> None:
    chance = random.Random(9)
    for _ in range(200):
        line, added, in_a_row = a_line(group_limit=4), list[str](), 0
        taken = list[str]()
        for n in range(60):
            kind = chance.choice(("urgent", "ordinary", "bulk"))
            added.append(f"{kind} {n}")
            line.add(added[-1], PAGE if kind == "bulk" else ORDINARY, urgent=kind == "urgent")
            while len(line) and chance.random() < 0.4:
                others_wait = any(not unit.startswith("urgent") for unit in set(added) - set(taken))
                group = line.next_group()
                in_a_row = in_a_row + 1 if group[0].startswith("urgent") and others_wait else 0
                assert in_a_row <= 3
                taken += group
        line.close()
        taken += [unit for group in iter(line.next_group, []) for unit in group]

        for kind in ("urgent", "ordinary", "bulk"):
            assert [each for each in taken if each.startswith(kind)] == [
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
