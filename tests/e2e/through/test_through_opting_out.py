"""Users choose while licensing and metering are stopped, and it holds as soon as these are back (C9, C2)."""

from itertools import cycle

from services.chassis.identity import PrincipalKind
from sluice.consent.v1.consent_service_pb2 import RecordChoiceRequest
from tests.support.consent_callers import a_deny
from tests.support.gateway_callers import Outcome, in_json, over_grpc, over_grpc_web
from tests.support.http_forms import http_form
from tests.support.through import Headers, Through, new_id
from tests.support.through_world import post_of

CHOOSE = "/sluice.consent.v1.ConsentService/RecordChoice"
BY_THEMSELVES, BY_AN_AGENT = (30, 31, 32), (33, 34, 35)
ALL = (*BY_THEMSELVES, *BY_AN_AGENT)


async def opts_out(gateway: Through, way: str, subject: int, shown: Headers) -> Outcome:
    """Everything, for everyone, by one of the three ways."""
    request = RecordChoiceRequest(request_id=new_id(), choice=a_deny(subject))
    if way == "gRPC":
        return await over_grpc(gateway.address, CHOOSE, request.SerializeToString(), shown)
    async with gateway.client() as client:
        if way == "gRPC-Web":
            return await over_grpc_web(client, CHOOSE, request.SerializeToString(), shown)
        form = http_form(CHOOSE, request)
        return in_json(await client.post(form.path, content=form.content({}), headers=shown))


async def test_who_opts_out_with_licensing_and_metering_stopped_is_denied_when_they_are_back(
    gateway: Through,
) -> None:
    agent = gateway.shown(PrincipalKind.AGENT, "helper", subjects=BY_AN_AGENT)
    shown = {who: gateway.shown(PrincipalKind.SUBJECT, str(who)) for who in BY_THEMSELVES}
    shown |= dict.fromkeys(BY_AN_AGENT, agent)
    before = await gateway.decided(*map(post_of, ALL))

    with gateway.stopped("licensing", "metering"):
        refused = await gateway.release(post_of(11))
        ways = zip(ALL, cycle(("JSON", "gRPC", "gRPC-Web")), strict=False)
        answers = [await opts_out(gateway, way, who, shown[who]) for who, way in ways]
        unlisted = await opts_out(gateway, "JSON", 11, agent)
    await gateway.serving()
    after = await gateway.decided(*map(post_of, ALL))

    assert refused.status_code == 503
    assert answers == [Outcome(0)] * 6
    assert unlisted == Outcome(5, "SUBJECT_UNKNOWN")
    assert (before["outcome"], after["outcome"]) == ("OUTCOME_RELEASED", "OUTCOME_DENIED")
