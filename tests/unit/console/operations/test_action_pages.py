"""Two entries of a log of actions are one action on a page."""

from services.chassis.actions import Outcome
from services.console.operations.action_pages import paired
from services.console.operations.actions import addresses, read_filter
from tests.support.actions import a_chain


def test_an_action_has_its_end_where_that_is_on_the_page_and_none_else() -> None:
    newest_first = list(reversed(a_chain(None, None, 1, None)))

    actions = paired("consent", newest_first)

    assert [each.entry.number for each in actions] == [4, 2, 1]
    assert [each.ended and each.ended.outcome for each in actions] == [None, None, Outcome.DONE]


def test_an_end_without_its_beginning_is_no_action_of_this_page() -> None:
    newest_first = list(reversed(a_chain(None, None, 1)))[:2]

    assert [each.entry.number for each in paired("consent", newest_first)] == [2]


def test_a_page_of_one_log_leads_on_without_moving_the_others() -> None:
    tokens = {"consent": "c", "metering": "", "licensing": ""}

    first, following = addresses({"operator": "ada", "method": ""}, tokens, "metering", "m=")

    assert first == ""
    assert following == "/actions?operator=ada&consent=c&metering=m%3D#metering"
    assert addresses({}, tokens, "consent", "") == ("/actions?#consent", "")


def test_a_filter_takes_a_call_as_grpc_writes_it_and_no_time_that_is_none() -> None:
    wanted, fault = read_filter(" ada ", "/sluice.x.v1.Y/Z", "2026-01-31T12:00:00Z")

    assert wanted is not None
    assert (wanted.operator, wanted.method, fault) == ("ada", "sluice.x.v1.Y/Z", "")
    assert read_filter("", "", "tomorrow")[0] is None
