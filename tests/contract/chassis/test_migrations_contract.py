"""Which releases serve on which schema, whichever engine keeps it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from services.chassis import presence
from services.chassis.migrating import check, look, patiently
from services.chassis.refusals import Kind, Refusal
from tests.support.engines import ENGINES
from tests.support.postgres import PostgresServer
from tests.support.schemas import EXPANDED, FIRST, ORIGIN, SECOND, THIRD, WORDS, Made, Release, columns
from tests.support.words import add, words

Releasing = Callable[..., Release]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def nobody_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is there has been there before."""
    monkeypatch.setattr(presence, "ABSENCE_SECONDS", 0.0)


@pytest.fixture
def release(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Releasing:
    """Makes releases that run on one and the same database, which is empty."""
    url = f"sqlite:///{tmp_path}/words.db"
    if engine == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.new_database()
        request.addfinalizer(lambda: server.drop(url))
    return lambda steps: Release(tmp_path, url, *steps)


def test_a_release_serves_on_what_the_one_after_it_has_added_and_tuned(release: Releasing) -> None:
    release(FIRST).starts()
    release(SECOND).migrates()

    earlier = release(FIRST).started()
    earlier.write_now(add("alpha"))
    stored = earlier.read_now(words)
    earlier.close_now()

    assert release(SECOND).stands() == ("0003", "0001")
    assert stored == ["alpha"]


def test_a_release_is_refused_where_a_later_one_has_taken_something_away(release: Releasing) -> None:
    release(FIRST).starts()
    release(SECOND).migrates(contract=True)

    with pytest.raises(Refusal) as refused:
        release(FIRST).starts()

    assert (refused.value.kind, refused.value.reason) == (Kind.PRECONDITION, "SCHEMA_UNKNOWN")
    assert "at revision 0004, and from 0004 on releases before that cannot use it" in refused.value.message
    assert release(SECOND).stands() == ("0004", "0004")


@pytest.mark.parametrize("migrate", [True, False])
def test_a_release_serves_without_its_own_tuning_and_contraction(release: Releasing, migrate: bool) -> None:
    release((WORDS, ORIGIN)).starts()

    opened = release(SECOND).started(migrate=migrate)
    opened.write_now(add("alpha"))
    stored = opened.read_now(words)
    opened.close_now()

    assert stored == ["alpha"]
    if not migrate:
        assert release(SECOND).stands() == ("0002", "0001")


def test_a_process_that_does_not_migrate_is_refused_until_what_it_needs_is_there(release: Releasing) -> None:
    release(FIRST).starts()
    second = release(SECOND)

    with pytest.raises(Refusal) as refused:
        second.starts(migrate=False)
    ran = second.migrates()
    second.starts(migrate=False)

    assert (refused.value.kind, refused.value.reason) == (Kind.PRECONDITION, "SCHEMA_BEHIND")
    assert refused.value.message == (
        "the database of words lacks revision 0002, which this release needs: run `sluice migrate words`"
    )
    assert ran == ["0002", "0003"]


def test_a_process_that_does_not_migrate_makes_nothing_in_an_empty_database(release: Releasing) -> None:
    with pytest.raises(Refusal, match="SCHEMA_BEHIND"):
        release(FIRST).starts(migrate=False)

    assert release(FIRST).stands() == (None, None)


def test_a_process_that_starts_takes_nothing_away_from_others(release: Releasing, engine: str) -> None:
    release(FIRST).starts()

    opened = release(SECOND).started()
    there = opened.read_now(columns)
    opened.close_now()

    # Of a file there are no others.
    assert there == (["word", "origin"] if engine == "sqlite" else ["word", "length", "origin"])


def test_an_empty_database_gets_all_steps_at_once(release: Releasing) -> None:
    release(THIRD).starts()

    assert release(THIRD).stands() == ("0005", "0004")


def test_what_comes_after_a_contraction_waits_for_it(release: Releasing) -> None:
    release(EXPANDED).starts()
    third = release(THIRD)

    ran = third.migrates()
    with pytest.raises(Refusal) as refused:
        third.starts(migrate=False)
    ran_then = third.migrates(contract=True)
    third.starts(migrate=False)

    assert ran == []
    assert refused.value.reason == "SCHEMA_BEHIND"
    assert refused.value.message.endswith("run `sluice migrate words --contract`")
    assert ran_then == ["0004", "0005"]


def test_a_database_from_before_floors_gets_one_and_is_served(release: Releasing) -> None:
    opened = release(SECOND).started()
    opened.write_now(lambda c: c.execute(text("drop table schema_floor")))
    opened.close_now()

    with pytest.raises(Refusal, match="SCHEMA_UNKNOWN"):
        release(FIRST).starts()
    release(SECOND).starts(migrate=False)
    floor_before = release(SECOND).stands()[1]
    release(SECOND).starts()

    assert floor_before is None
    assert release(SECOND).stands() == ("0004", "0004")


def test_a_step_that_fails_leaves_those_before_it_and_nothing_of_its_own(release: Releasing) -> None:
    broken = Made(
        "0003", "expand", "op.create_table('half', sa.Column('x', sa.Text))\nop.execute('nonsense')"
    )
    release(FIRST).starts()

    with pytest.raises(Refusal, match="MIGRATION_FAILED"):
        release((WORDS, ORIGIN, broken)).migrates()

    assert release(FIRST).stands() == ("0002", "0001")
    again = Made("0003", "expand", "op.create_table('half', sa.Column('x', sa.Text))")
    assert release((WORDS, ORIGIN, again)).migrates() == ["0003"]


def test_looking_changes_nothing(release: Releasing) -> None:
    release(FIRST).starts()

    _, found = look(release(THIRD).target, contract=False)
    _, found_with_contract = look(release(THIRD).target, contract=True)

    assert [step.revision for step in found.steps] == ["0002", "0003"]
    assert [step.revision for step in found.left] == ["0004", "0005"]
    assert [step.revision for step in found_with_contract.steps] == ["0002", "0003", "0004", "0005"]
    assert release(THIRD).stands() == ("0001", "0001")


def test_a_check_waits_for_others_to_migrate(release: Releasing) -> None:
    release(FIRST).starts()
    pauses: list[float] = []

    def others_migrate(seconds: float) -> None:
        pauses.append(seconds)
        release(SECOND).migrates()

    state = patiently(lambda: check(release(SECOND).target), 60, {"SCHEMA_BEHIND"}, others_migrate)

    assert state.revision == "0003"
    assert len(pauses) == 1


def test_a_check_that_may_not_wait_is_refused_at_once(release: Releasing) -> None:
    with pytest.raises(Refusal, match="SCHEMA_BEHIND"):
        patiently(lambda: check(release(FIRST).target), 0, {"SCHEMA_BEHIND"})


def test_steps_are_told_before_and_after(release: Releasing) -> None:
    release(FIRST).starts()
    second = release(SECOND)

    second.migrates()

    assert [(told.event, told.step.revision if told.step else "") for told in second.told] == [
        ("begun", "0002"),
        ("done", "0002"),
        ("begun", "0003"),
        ("done", "0003"),
    ]
    assert second.told[1].step is not None
    assert second.told[1].step.sentence == "Does what 0002 does."
