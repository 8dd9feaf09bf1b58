"""An audit that begins after a receipt compares what came later, and needs that receipt to be there."""

import pytest

from services.chassis.refusals import Refusal
from tests.support.cluster import Cluster, a_post


async def test_an_audit_after_the_last_receipt_finds_nothing_and_one_beyond_it_is_refused(
    cluster: Cluster,
) -> None:
    for number in (1, 2):
        await cluster.decide([a_post(number, number)])

    decisions = [(await cluster.audit(after))[0].compared for after in (0, 1, 2)]
    with pytest.raises(Refusal) as refused:
        await cluster.audit(3)

    assert decisions[0] - decisions[1] == decisions[1] - decisions[2] == 1
    assert refused.value.reason == "CURSOR_AHEAD"


async def test_the_names_of_checks_are_sentences(cluster: Cluster) -> None:
    names = [check.check for check in await cluster.audit()]

    assert [name for name in names if not name[0].isupper()] == []
