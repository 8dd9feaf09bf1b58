"""What the page of a subject asks for, of services that do not do what they should."""

from typing import Any

import pytest

from services.chassis.dialing import Peer
from services.chassis.refusals import Refusal
from services.console.settings_page.outlook import MOST_PAGES, policies_of
from sluice.consent.v1.consent_service_pb2 import ListPoliciesResponse
from sluice.consent.v1.policy_pb2 import Policy


async def test_a_list_of_policies_without_an_end_is_not_read_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = list[Any]()

    async def endless(_peer: Peer, _method: Any, request: Any, **_options: Any) -> ListPoliciesResponse:
        asked.append(request)
        return ListPoliciesResponse(policies=[Policy(version=9)], next_page_token="again")

    monkeypatch.setattr(Peer, "call", endless)
    consent = Peer("127.0.0.1:1", lambda: "a token", name="consent")
    with pytest.raises(Refusal) as raised:
        await policies_of(consent, 1)
    await consent.close()

    assert raised.value.reason == "PEER_ANSWER_INVALID"
    assert len(asked) == MOST_PAGES
