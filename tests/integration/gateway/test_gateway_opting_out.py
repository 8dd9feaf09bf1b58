"""Users can choose whatever else is down: consent's routes need neither licensing nor metering (C9)."""

from pathlib import Path

import httpx

from services.chassis.clock import SystemClock
from services.chassis.identity import PrincipalKind
from services.chassis.ids import uuid7
from sluice.consent.v1.consent_service_pb2 import RecordChoiceRequest
from tests.support.clock import ManualClock
from tests.support.consent_callers import Consent, a_deny, running
from tests.support.envoy import an_envoy, some_values
from tests.support.gateway_callers import Outcome, in_json, over_grpc, over_grpc_web

PATH = "/sluice.consent.v1.ConsentService/RecordChoice"


def a_request(subject: int) -> RecordChoiceRequest:
    """Everything, for everyone."""
    return RecordChoiceRequest(request_id=uuid7(SystemClock().now_us()), choice=a_deny(subject))


def shown(consent: Consent, kind: PrincipalKind, party: int) -> dict[str, str]:
    return {"authorization": f"Bearer {consent.token(kind, str(party))}"}


async def test_a_subject_opts_out_in_each_of_the_three_ways_while_licensing_and_metering_are_stopped(
    tmp_path: Path,
) -> None:
    clock = ManualClock(SystemClock().now_us())
    async with running(tmp_path, clock) as consent:
        await consent.put_in_force(1, 2, 3)
        values = some_values(tmp_path, {"consent": consent.address})
        async with an_envoy(values, tmp_path) as envoy, httpx.AsyncClient(base_url=envoy.url) as client:
            before = await consent.reasons((1,), (2,), (3,))
            in_json_form = {"stance": "STANCE_DENY", "everyone": True, "allPurposes": True}
            body = {"requestId": uuid7(clock.now_us()), "choice": in_json_form}
            subjects = [shown(consent, PrincipalKind.SUBJECT, subject) for subject in (1, 2, 3)]
            json = in_json(await client.post("/v1/subjects/1/choices", json=body, headers=subjects[0]))
            over = await over_grpc(envoy.address, PATH, a_request(2).SerializeToString(), subjects[1])
            web = await over_grpc_web(client, PATH, a_request(3).SerializeToString(), subjects[2])
            after = await consent.reasons((1,), (2,), (3,))

    assert [json, over, web] == [Outcome(0)] * 3, [json, over, web]
    assert before == ["ALLOWED"] * 3
    assert "ALLOWED" not in after


async def test_a_subject_sees_what_follows_in_json_and_only_for_themselves(tmp_path: Path) -> None:
    clock = ManualClock(SystemClock().now_us())
    async with running(tmp_path, clock) as consent:
        await consent.put_in_force(1, 2)
        await consent.choose(a_deny(1, licensee_id="acme"))
        values = some_values(tmp_path, {"consent": consent.address})
        async with an_envoy(values, tmp_path) as envoy, httpx.AsyncClient(base_url=envoy.url) as client:
            headers = shown(consent, PrincipalKind.SUBJECT, 1)
            asked = {"licenseeIds": ["umbrella", "initech"]}
            told = (await client.get("/v1/subjects/1/standing", params=asked, headers=headers)).json()
            mistyped = in_json(
                await client.get(
                    "/v1/subjects/1/standing", params={"licenseeIds": "Umbrella"}, headers=headers
                )
            )
            others = in_json(await client.get("/v1/subjects/2/standing", headers=headers))
            nobodys = in_json(await client.get("/v1/subjects/9/standing", headers=headers))

    training = {each["licenseeId"]: each["purposes"][1] for each in told["licensees"]}
    assert list(training) == ["acme", "initech", "umbrella"]
    assert training["acme"] == {
        "purpose": "PURPOSE_AI_TRAINING_GENERATIVE",
        "reason": "CONSENT_REASON_CHOICE_DENIES",
        "byChoice": True,
        "recordRevision": "4",
        "regime": "REGIME_OPT_OUT",
        "deniedByPurpose": "PURPOSE_UNSPECIFIED",
    }
    assert training["umbrella"] == told["anyone"][1]
    assert told["anyone"][1]["reason"] == "CONSENT_REASON_ALLOWED"
    assert mistyped.reason == "INVALID_REQUEST"
    assert (others.reason, others) == ("SUBJECT_UNKNOWN", nobodys)


async def test_a_subject_chooses_for_nobody_else_in_any_of_the_three_ways(tmp_path: Path) -> None:
    clock = ManualClock(SystemClock().now_us())
    async with running(tmp_path, clock) as consent:
        await consent.put_in_force(1, 2)
        values = some_values(tmp_path, {"consent": consent.address})
        async with an_envoy(values, tmp_path) as envoy, httpx.AsyncClient(base_url=envoy.url) as client:
            headers = shown(consent, PrincipalKind.SUBJECT, 1)
            body = {
                "requestId": uuid7(clock.now_us()),
                "choice": {"stance": "STANCE_DENY", "everyone": True, "allPurposes": True},
            }
            json = in_json(await client.post("/v1/subjects/2/choices", json=body, headers=headers))
            over = await over_grpc(envoy.address, PATH, a_request(2).SerializeToString(), headers)
            web = await over_grpc_web(client, PATH, a_request(2).SerializeToString(), headers)

    assert json == over == web
    assert json.code != 0
    assert json.reason
    assert json.message == over.message == web.message
