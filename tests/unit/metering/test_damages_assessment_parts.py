"""An assessment comes in parts that fit, and they are the whole of it (D2)."""

from services.metering.rpc.assessment_parts import MOST_BYTES, in_parts
from sluice.metering.v1.damages_pb2 import Assessment, PartyStretch
from tests.support.assessments import a_period, a_share, on_record, usd


def merged(parts: list[Assessment]) -> Assessment:
    whole = Assessment()
    for part in parts:
        whole.MergeFrom(part)
    return whole


def test_d2_a_long_assessment_comes_in_parts_that_fit_and_give_the_whole() -> None:
    shares = [a_share(f"party-{n:03}", n, usd(n)) for n in range(100)]
    periods = [a_period(1, number, usd(number), *shares) for number in range(1_000)]
    members = [PartyStretch(party_id=f"party-{n:050}") for n in range(20_000)]
    whole = on_record(periods=periods, members=members)

    parts = in_parts(whole)

    assert len(parts) > 3
    assert max(part.ByteSize() for part in parts) < MOST_BYTES + 10_000
    assert merged(parts) == whole
    assert parts[0].assessment_id == whole.assessment_id
    assert not parts[1].HasField("policy")


def test_d2_a_short_assessment_is_one_part() -> None:
    whole = on_record()

    assert in_parts(whole) == [whole]
