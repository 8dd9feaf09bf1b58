"""R5: which database is refused, what an acceptance begins, and from where readers go on after it."""

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.chassis.heads import Head
from services.chassis.kept_heads import HeadFile, KeptHead, all_restores
from services.chassis.refusals import Refusal
from services.chassis.restores import Acceptance, Restore, Standing, accepted, check, resumed
from tests.support.clock import NOON_US

OURS = "ours"
WHY = Acceptance("the disk died", "olga")


def a_standing(number: int, epoch: int = 1, *, mark: str = OURS, is_kept: bool = True) -> Standing:
    return Standing(Head(epoch, number), mark, is_kept)


def a_kept(number: int, epoch: int = 1, *restores: Head, service: str = "consent") -> KeptHead:
    return KeptHead(service, OURS, Head(epoch, number), restores)


def refusal_of(standing: Standing, kept: KeptHead | None) -> str | None:
    try:
        check("consent", standing, kept)
    except Refusal as refusal:
        return refusal.reason
    return None


def an_acceptance(standing: Standing, kept: KeptHead | None) -> Restore:
    return accepted("consent", standing, kept, WHY, NOON_US)


def test_r5_a_database_behind_the_kept_head_is_refused_and_no_other_is() -> None:
    assert refusal_of(a_standing(9), a_kept(10)) == "DATABASE_RESTORED"
    assert refusal_of(a_standing(99, epoch=1), a_kept(3, 2)) == "DATABASE_RESTORED"
    assert refusal_of(a_standing(10), a_kept(10)) is None
    assert refusal_of(a_standing(11), a_kept(10)) is None
    assert refusal_of(a_standing(3, epoch=2), a_kept(10)) is None


def test_r5_where_nothing_shows_how_far_it_was_a_database_is_refused_unless_nothing_ever_did() -> None:
    assert refusal_of(a_standing(9), None) == "HEAD_MISSING"
    assert refusal_of(a_standing(9, is_kept=False), None) is None


def test_r5_the_head_of_something_else_is_no_head_of_ours() -> None:
    assert refusal_of(a_standing(9, mark="theirs"), a_kept(1)) == "HEAD_OF_ANOTHER_DATABASE"
    assert refusal_of(a_standing(9), a_kept(1, service="metering")) == "HEAD_OF_ANOTHER_SERVICE"


def test_r5_an_acceptance_begins_the_next_epoch_at_the_restore_point() -> None:
    restore = an_acceptance(a_standing(80), a_kept(120))

    assert restore == Restore(2, 80, Head(1, 80), Head(1, 120), NOON_US, "olga", "the disk died")


def test_r5_an_epoch_that_the_backup_does_not_know_of_is_not_given_again() -> None:
    restore = an_acceptance(a_standing(80), a_kept(130, 2, Head(2, 60)))

    assert restore.epoch == 3
    # Whoever read epoch 2 has the first 60 of epoch 1, and not the 20 after them.
    assert restore.shared == 60


@pytest.mark.parametrize(
    ("standing", "kept"), [(a_standing(80), None), (a_standing(80, mark="theirs"), a_kept(5, 4))]
)
def test_r5_where_no_history_is_known_to_be_shared_all_is_read_again(
    standing: Standing, kept: KeptHead | None
) -> None:
    restore = an_acceptance(standing, kept)

    assert (restore.shared, restore.lost) == (0, None)
    assert restore.epoch == (2 if kept is None else 5)


@pytest.mark.parametrize("standing", [a_standing(10), a_standing(11), a_standing(0, epoch=2)])
def test_r5_what_needs_no_acceptance_gets_none(standing: Standing) -> None:
    with pytest.raises(Refusal) as refused:
        an_acceptance(standing, a_kept(10))

    assert refused.value.reason == "NOT_RESTORED"


def test_r5_the_head_of_another_service_is_a_wrong_setting_and_is_not_accepted_away() -> None:
    with pytest.raises(Refusal) as refused:
        an_acceptance(a_standing(9), a_kept(10, service="metering"))

    assert refused.value.reason == "HEAD_OF_ANOTHER_SERVICE"


def test_r5_nobody_goes_on_where_no_restore_leads_to_the_present_epoch() -> None:
    assert resumed(Head(1, 9), Head(2, 5), ()) is None
    assert resumed(Head(1, 9), Head(3, 5), (Head(2, 4),)) is None
    assert resumed(Head(3, 9), Head(2, 5), (Head(2, 4),)) is None
    assert resumed(Head(1, 9), Head(2, 5), (Head(2, 4),)) == 4
    assert resumed(Head(1, 3), Head(2, 5), (Head(2, 4),)) == 3


def test_r5_what_is_refused_for_another_reason_is_accepted_and_nothing_is_called_lost() -> None:
    restore = accepted("consent", a_standing(12), a_kept(10), WHY, NOON_US, refused_anyway=True)

    assert restore == Restore(2, 12, Head(1, 12), None, NOON_US, "olga", "the disk died")


class World:
    """A database whose changes are told apart, backups of it, and all who have read from it."""

    def __init__(self, file: HeadFile) -> None:
        self.file = file
        self.head, self.changes = Head(1, 0), list[float]()
        self.points: tuple[Head, ...] = ()
        self.keep()
        self.backups: list[tuple[Head, list[float], tuple[Head, ...]]] = [(self.head, [], ())]
        self.readers = list[tuple[Head, list[float]]]()

    def write(self, chance: random.Random) -> None:
        self.changes.append(chance.random())
        self.head = Head(self.head.epoch, len(self.changes))
        self.keep()

    def keep(self) -> None:
        """As the service does, at its start and later."""
        kept = self.file.read()
        assert refusal_of(Standing(self.head, OURS, is_kept=kept is not None), kept) is None
        restores = kept.restores if kept else ()
        self.kept = self.file.raise_to(
            KeptHead("consent", OURS, self.head, all_restores(self.points, restores))
        )

    def back_up(self) -> None:
        self.backups.append((self.head, list(self.changes), self.points))

    def read(self) -> None:
        self.readers.append((self.head, list(self.changes)))

    def restore(self, chance: random.Random, *, dies: bool) -> None:
        """`dies`: the command that accepts it, before it writes the file; the service starts then."""
        self.head, changes, self.points = chance.choice(self.backups)
        self.changes = list(changes)
        standing = Standing(self.head, OURS, is_kept=True)
        if refusal_of(standing, self.kept) is None:
            return
        restore = an_acceptance(standing, self.kept)
        assert restore.epoch > self.kept.head.epoch
        self.head = Head(restore.epoch, self.head.number)
        self.points = (*self.points, Head(restore.epoch, restore.shared))
        if not dies:
            known = all_restores(self.points, self.kept.restores)
            self.file.replace(KeptHead("consent", OURS, self.head, known))
        self.keep()


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """In memory: what is in question is what the files say."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        yield Path(folder)


@example(list("wwbwRwwbwwDwwrR"), random.Random(3))
@given(st.lists(st.sampled_from("wwwbrRD"), max_size=40), st.randoms(use_true_random=False))
def test_r5_whoever_goes_on_after_restores_has_all_that_comes_before_and_none_of_it_differs(
    folder: Path, deeds: list[str], chance: random.Random
) -> None:
    world = World(HeadFile(Path(tempfile.mkdtemp(dir=folder)), "consent"))
    for deed in deeds:
        match deed:
            case "w":
                world.write(chance)
            case "b":
                world.back_up()
            case "r":
                world.read()
            case _:
                world.restore(chance, dies=deed == "D")

    for position, seen in world.readers:
        if position.epoch < world.head.epoch:
            number = resumed(position, world.head, world.points)
            assert number is not None
            assert seen[:number] == world.changes[:number]
