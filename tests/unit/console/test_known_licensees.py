"""Licensees that choices name, and what licensing says of them."""

import pytest

from services.chassis.refusals import Kind, Refusal, unavailable
from services.console.connections import Connections
from services.console.known_licensees import Naming, compare, look_up

NOBODY_LISTENS = "127.0.0.1:1"


def test_an_unknown_licensee_is_named_with_the_one_it_was_meant_for() -> None:
    naming = compare({"amce", "globex"}, {"acme", "globex", "initech"})

    assert naming.is_known() is False
    assert naming.plain_unknown == ["amce"]
    assert naming.notes() == (
        "Licensing knows no licensee amce (did you mean acme?)."
        " What is said of one binds nobody until there is such a licensee.",
    )


def test_of_known_licensees_there_is_nothing_to_say() -> None:
    naming = compare({"acme"}, {"acme", "globex"})

    assert naming.is_known() is True
    assert naming.notes() == ()
    naming.check_allow()


def test_an_allow_for_an_unknown_licensee_is_refused() -> None:
    with pytest.raises(Refusal, match="did you mean acme") as refused:
        compare({"amce"}, {"acme"}).check_allow()

    assert (refused.value.kind, refused.value.reason) == (Kind.PRECONDITION, "LICENSEE_UNKNOWN")


def test_a_file_full_of_unknown_licensees_is_summed_up() -> None:
    naming = compare({f"x{number:03}" for number in range(30)}, set())

    (note,) = naming.notes()

    assert "x019, and 10 more (--json lists them all)" in note
    assert len(naming.plain_unknown or []) == 30


def test_an_allow_is_not_refused_for_what_could_not_be_checked() -> None:
    naming = Naming(fault=unavailable("PEER_UNAVAILABLE", "licensing did not answer"))

    naming.check_allow()

    assert naming.is_known() is None
    assert naming.plain_unknown is None
    assert "could not be checked (PEER_UNAVAILABLE: licensing did not answer)" in naming.notes()[0]


async def test_people_can_choose_while_licensing_is_down() -> None:
    async with Connections({"licensing": NOBODY_LISTENS}, lambda: "token") as connections:
        naming = await look_up(connections, ["acme"])

    assert naming.fault is not None
    assert naming.fault.reason == "PEER_UNAVAILABLE"


async def test_licensing_is_not_asked_about_nobody() -> None:
    async with Connections({}, lambda: "token") as connections:
        assert await look_up(connections, []) == Naming()
