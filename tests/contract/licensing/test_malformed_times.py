"""What is no time is refused with its field wherever licensing takes one, and nothing of it is stored."""

from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.refusals import Refusal
from sluice.licensing.v1 import contract_service_pb2 as pb
from tests.contract.licensing.test_contract_service import LEGAL, a_draft, a_licensee, a_step, call
from tests.support.clock import NOON_US
from tests.support.grpc import LocalServer

SECONDS = NOON_US // 1_000_000 + 60


@pytest.mark.parametrize("malformed", [{"nanos": -5}, {"nanos": 2_000_000_000}, {"seconds": 2**62}], ids=str)
@pytest.mark.parametrize("field", ["posted_from", "posted_before", "term_from", "term_until"])
async def test_terms_with_what_is_no_time_are_refused_by_field(
    server: LocalServer, field: str, malformed: dict[str, int]
) -> None:
    terms = a_draft().terms
    getattr(terms, field).CopyFrom(Timestamp(**{"seconds": SECONDS} | malformed))

    assert await fields_at_fault(server, "CheckTerms", pb.CheckTermsRequest(terms=terms)) == [
        f"terms.{field}"
    ]


@pytest.mark.parametrize("nanos", [-5, 2_000_000_000])
async def test_an_activation_at_what_is_no_time_is_refused_by_field(server: LocalServer, nanos: int) -> None:
    await call(server, LEGAL, "CreateLicensee", a_licensee())
    await call(server, LEGAL, "CreateLicense", a_draft())
    request = a_step("ActivateLicense")
    request.effective_at.CopyFrom(Timestamp(seconds=SECONDS, nanos=nanos))

    assert await fields_at_fault(server, "ActivateLicense", request) == ["effective_at"]


async def fields_at_fault(server: LocalServer, rpc: str, request: Any) -> list[str]:
    with pytest.raises(Refusal, match="INVALID_REQUEST") as refused:
        await call(server, LEGAL, rpc, request)
    return [violation.field for violation in refused.value.violations]
