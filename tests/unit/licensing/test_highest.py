"""An answer from before what its peer had shown is not believed, whoever saw that (R5)."""

import pytest
from structlog.testing import capture_logs

from services.chassis.refusals import Kind, Refusal
from services.licensing.domain.answers import BEGINNING, Revision
from services.licensing.highest import Highest, begin_with, rise_both


def refused(highest: Highest, revision: Revision, mark: Revision | None = None) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        highest.take(revision, highest.mark() if mark is None else mark)
    return refusal.value


def test_an_answer_below_what_was_seen_before_the_call_is_refused() -> None:
    highest = Highest("consent")
    highest.take(Revision(1, 7), highest.mark())

    refusal = refused(highest, Revision(1, 6))

    assert (refusal.kind, refusal.reason) == (Kind.UNAVAILABLE, "PEER_BEHIND")
    assert highest.mark() == Revision(1, 7)


def test_the_same_and_anything_higher_is_believed_as_a_pair() -> None:
    highest = Highest("consent")

    for each in (Revision(1, 7), Revision(1, 7), Revision(1, 8), Revision(2, 1)):
        assert highest.take(each, highest.mark()) == each

    assert refused(highest, Revision(1, 9)).reason == "PEER_BEHIND"


def test_a_peer_that_was_behind_and_whose_number_rises_again_is_not_believed() -> None:
    highest = Highest("consent")
    highest.rise(Revision(1, 7))
    refused(highest, Revision(1, 6))

    assert refused(highest, Revision(1, 7)).reason == "PEER_BEHIND"
    assert refused(highest, Revision(1, 8)).reason == "PEER_BEHIND"


def test_what_was_sent_before_a_peer_was_found_behind_is_not_believed_either() -> None:
    highest = Highest("consent")
    mark = highest.mark()
    highest.rise(Revision(1, 7))
    refused(highest, Revision(1, 6))

    assert refused(highest, Revision(1, 7), mark).reason == "PEER_BEHIND"


def test_an_answer_that_was_overtaken_on_its_way_is_believed_and_lowers_nothing() -> None:
    highest = Highest("consent")
    mark = highest.mark()
    highest.take(Revision(1, 9), highest.mark())

    assert highest.take(Revision(1, 8), mark) == Revision(1, 8)
    assert highest.mark() == Revision(1, 9)


async def test_a_process_begins_with_what_the_ledger_was_shown() -> None:
    consent, metering = Highest("consent"), Highest("metering")

    async def shown() -> tuple[Revision, Revision]:
        return Revision(1, 7), Revision(2, 3)

    assert consent.mark() == BEGINNING
    await begin_with(shown, consent, metering)

    assert (consent.mark(), metering.mark()) == (Revision(1, 7), Revision(2, 3))


def test_a_peer_that_fell_behind_is_logged_once() -> None:
    highest = Highest("consent")
    highest.rise(Revision(1, 7))

    with capture_logs() as logs:
        for number in (5, 6, 8):
            refused(highest, Revision(1, number))

    assert highest.is_behind
    assert [(each["event"], each["log_level"], each["answered"], each["shown"]) for each in logs] == [
        ("peer_behind", "error", "1.5", "1.7")
    ]


def test_a_peer_that_begins_a_new_epoch_is_believed_again() -> None:
    highest = Highest("consent")
    highest.rise(Revision(1, 7))
    refused(highest, Revision(1, 6))

    assert highest.take(Revision(2, 1), highest.mark()) == Revision(2, 1)

    assert not highest.is_behind
    assert highest.take(Revision(2, 2), highest.mark()) == Revision(2, 2)


def test_what_one_process_believes_another_that_heard_of_more_refuses_no_longer_alone() -> None:
    consents, meterings = [Highest("consent"), Highest("consent")], [Highest("metering") for _ in range(2)]
    first, second = (rise_both(*pair) for pair in zip(consents, meterings, strict=True))
    consents[1].take(Revision(1, 80), consents[1].mark())
    first(Revision(1, 100), Revision(1, 3))
    second(Revision(1, 100), Revision(1, 3))

    assert [refused(each, Revision(1, 90)).reason for each in consents] == ["PEER_BEHIND"] * 2
    assert meterings[1].mark() == Revision(1, 3)


def test_a_new_epoch_that_another_process_has_seen_ends_the_distrust_here_too() -> None:
    highest = Highest("consent")
    highest.rise(Revision(1, 7))
    refused(highest, Revision(1, 6))

    highest.rise(Revision(2, 5))

    assert highest.take(Revision(2, 6), highest.mark()) == Revision(2, 6)
    assert refused(highest, Revision(1, 9)).reason == "PEER_BEHIND"
