"""How the page of a subject puts together what the services say."""

from services.console.settings_page.outlook import Outlook, Policies
from services.console.settings_page.texts import Texts
from services.console.settings_page.view import Place, View, view_of
from services.console.web.asking import Missing
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.consent.v1 import policy_pb2, standing_pb2, subject_pb2
from sluice.licensing.v1.contract_service_pb2 import ListRecipientsResponse, Recipient
from sluice.type.v1 import purpose_pb2

TRAINING = purpose_pb2.PURPOSE_AI_TRAINING_GENERATIVE


def a_view(
    recipients: ListRecipientsResponse | Missing,
    *named: str,
    place: Place | None = None,
    announced: tuple[policy_pb2.Policy, ...] = (),
    lives_in: str = "",
) -> View:
    """Of a subject whose choices name these licensees."""
    asked = [] if isinstance(recipients, Missing) else [each.licensee_id for each in recipients.recipients]
    standing = standing_pb2.GetStandingResponse(
        licensees=[
            standing_pb2.LicenseeStanding(licensee_id=licensee) for licensee in sorted({*asked, *named})
        ]
    )
    choices = pb.GetChoicesResponse(subject=subject_pb2.Subject(jurisdiction=lives_in))
    outlook = Outlook(standing, choices, Policies(None, announced), recipients)
    return view_of(outlook, Texts(), "en", place or Place())


def some(*licensees: str, more: str = "") -> ListRecipientsResponse:
    recipients = [Recipient(licensee_id=each, display_name=each.title()) for each in licensees]
    return ListRecipientsResponse(recipients=recipients, next_page_token=more)


def names(view: View) -> list[str]:
    return [each.name for each in view.licensees]


def test_whoever_choices_name_stands_in_the_order_and_on_one_page_alone() -> None:
    named = ("ant", "bee", "zebra")

    first = a_view(some("ape", "cat", more="t"), *named)
    last = a_view(some("dog"), *named, place=Place("t", "cat"))

    assert names(first) == ["ant", "Ape", "bee", "Cat"]
    assert first.next_page == "/?page=t&after=cat"
    assert names(last) == ["Dog", "zebra"]
    assert last.next_page == ""


def test_a_page_on_which_nobody_is_left_goes_on_from_where_it_was() -> None:
    view = a_view(some(more="u"), "bee", place=Place("t", "ape"))

    assert names(view) == []
    assert view.next_page == "/?page=u&after=ape"


def test_however_many_choices_name_a_page_has_so_many() -> None:
    named = [f"x{number:03}" for number in range(100)]

    first = a_view(some("ape", more="t"), *named, place=Place())
    second = a_view(some("zoo"), *named, place=Place("t", "ape"))
    third = a_view(some("zoo"), *named, place=Place("t", "x039"))
    last = a_view(some("zoo"), *named, place=Place("t", "x079"))

    assert names(first) == ["Ape"]
    assert names(second) + names(third) + names(last) == [*named, "Zoo"]
    assert second.next_page == "/?page=t&after=x039"
    assert last.next_page == ""


def test_without_the_list_all_whom_choices_name_are_there() -> None:
    view = a_view(Missing("PEER_UNAVAILABLE"), "bee", "ant")

    assert names(view) == ["ant", "bee"]
    assert view.lacks_list


def test_of_a_policy_the_rules_of_where_the_reader_lives_are_told() -> None:
    rules = [
        policy_pb2.PolicyRule(jurisdiction=where, purpose=TRAINING, regime=policy_pb2.REGIME_OPT_IN)
        for where in ("US-NY", "US-CA", "US", "DE")
    ]

    (document,) = a_view(
        some(), announced=(policy_pb2.Policy(version=2, rules=rules),), lives_in="US-CA"
    ).announced

    assert [rule.jurisdiction for rule in document.local] == ["US", "US-CA"]
    assert (document.text, document.notice) == (None, None)


def test_whoever_chooses_goes_on_where_they_were() -> None:
    assert Place("t", "cat").path("acme") == "/?page=t&after=cat&open=acme"
    assert Place().path() == "/"
