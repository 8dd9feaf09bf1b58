"""Messages as JSON values: with what is set alone, or with everything that has a value."""

from google.type.money_pb2 import Money

from services.console.moments import read
from services.console.names import complete, plain
from sluice.metering.v1.damages_pb2 import Assessment, DamagesPolicy, DamagesReading, PartyStretch
from sluice.metering.v1.usage_pb2 import UsageOf


def test_a_complete_message_says_also_what_is_0_false_or_empty() -> None:
    policy = DamagesPolicy(version=1, rate=Money(currency_code="USD", units=1))

    answer = complete(policy)

    assert (answer["threshold"], answer["title"], answer["terms_digest"]) == (0, "", "")
    assert answer["licensed_volume_counts"] is False
    assert answer["not_enforceable"] == answer["accesses"] == []
    assert answer["rate"] == {"currency_code": "USD", "units": 1, "nanos": 0}


def test_what_is_unset_and_has_no_zero_is_in_no_message() -> None:
    answer = complete(DamagesPolicy())

    assert not answer.keys() & {"rate", "window", "recorded_at", "rounding", "overlap"}
    assert complete(UsageOf(group_id="red")) == {"group_id": "red"}


def test_messages_within_a_complete_one_are_complete() -> None:
    assessment = Assessment(
        readings=[DamagesReading(overlap=2)],  # type: ignore[arg-type]
        members=[PartyStretch(party_id="acme", since=read("2026-01-31"))],
    )

    answer = complete(assessment)

    assert answer["readings"] == [
        {
            "accesses": [],
            "licensed_volume_counts": False,
            "overlap": "shorter_allowed",
            "periods": 0,
            "posts": 0,
        }
    ]
    assert answer["members"] == [{"party_id": "acme", "since": "2026-01-31T00:00:00.000000Z"}]
    assert plain(assessment)["readings"] == [{"overlap": "shorter_allowed"}]
