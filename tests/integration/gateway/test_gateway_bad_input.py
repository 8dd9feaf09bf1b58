"""What comes in broken, too large or in disguise: refused in one shape, or made harmless on its way."""

from pathlib import Path

import pytest

from services.chassis.clock import SystemClock
from services.chassis.identity import PrincipalKind, bearer_of
from services.chassis.refusals import Refusal
from tests.integration.gateway.conftest import ORIGIN, Gateway
from tests.support.clock import ManualClock
from tests.support.gateway_callers import Outcome, in_json, json_outcome, over_grpc, over_grpc_web, raw
from tests.support.gateway_world import GOOD
from tests.support.keys import a_minter, a_verifier, some_keys
from tests.support.ports import a_free_port

DECISION = "/sluice.licensing.v1.ReleaseService/GetDecision"
COUNTERSIGN = "/sluice.licensing.v1.DeliveryService/CountersignDelivery"
CHOOSE = "/sluice.consent.v1.ConsentService/RecordChoice"
LARGE = 20 * 1024 * 1024
MALFORMED = Outcome(3, "GATEWAY_REQUEST_MALFORMED")
NOT_ROUTED = Outcome(12, "GATEWAY_NOT_ROUTED")
TOO_LARGE = Outcome(8, "GATEWAY_BODY_TOO_LARGE")
NOT_SPOKEN = Outcome(12, "GATEWAY_NOT_IMPLEMENTED")


def a_request(line: str, *headers: str) -> bytes:
    usual = ("host: sluice.example", "authorization: Bearer good", "connection: close")
    return ("\r\n".join([f"{line} HTTP/1.1", *usual, *headers]) + "\r\n\r\n").encode()


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"postsReceived": {}}', b'{"postsReceived": "many"}', b"\xff"]
)
async def test_a_body_that_is_no_such_message_is_400(gateway: Gateway, body: bytes) -> None:
    answer = await gateway.http.post("/v1/decisions/1:countersign", content=body, headers=GOOD)

    assert (answer.status_code, in_json(answer)) == (400, MALFORMED)
    assert gateway.world.upstream.calls == {}


async def test_an_unknown_field_of_a_body_is_dropped_and_an_unknown_query_is_400(gateway: Gateway) -> None:
    body = {"postsReceived": 3, "postsRecieved": 4}

    dropped = await gateway.http.post("/v1/decisions/1:countersign", json=body, headers=GOOD)
    unknown = await gateway.http.get("/v1/decisions/1?vew=full", headers=GOOD)

    assert dropped.status_code == 200
    assert gateway.world.upstream.messages == [b"\x10\x03\n\x011"]
    assert (unknown.status_code, in_json(unknown)) == (400, MALFORMED)


@pytest.mark.parametrize("framing", ["content-length: {length}", "transfer-encoding: chunked"])
async def test_20_megabytes_of_json_are_413_whoever_sends_them(gateway: Gateway, framing: str) -> None:
    body = b'{"noSuchField": "' + b"x" * LARGE + b'"}'
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if "chunked" in framing else body
    head = a_request("POST /v1/decisions/1:countersign", framing.format(length=len(body)))

    status, answer = await raw(gateway.address, head + chunked)

    assert (status, json_outcome(answer)) == (413, TOO_LARGE)
    assert gateway.world.upstream.messages == []


async def test_20_megabytes_over_grpc_and_grpc_web_are_too_large_as_well(gateway: Gateway) -> None:
    media = "content-type: application/grpc-web+proto"
    head = a_request(f"POST {COUNTERSIGN}", media, f"content-length: {LARGE}")

    over = await over_grpc(gateway.address, COUNTERSIGN, b"x" * LARGE, GOOD)
    status, web = await raw(gateway.address, head + b"x" * LARGE, head_too=True)

    assert over == TOO_LARGE
    assert (status, b"grpc-status: 8\r\n" in web) == (200, True)
    assert gateway.world.upstream.messages == []


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer x",
        "bearer x",
        "BEARER a.b.c",
        "Bearer a.b.c",
        "Basic YTpi",
        "{over}",
        "{forged}",
    ],
)
async def test_without_a_good_token_no_choice_is_recorded_and_the_reason_is_that_of_the_services(
    gateway: Gateway, tmp_path: Path, header: str
) -> None:
    keys = some_keys(tmp_path)
    past = ManualClock(SystemClock().now_us() - 3_600_000_000)
    good, over = (
        f"Bearer {a_minter(keys, clock).mint(PrincipalKind.SUBJECT, '1')}" for clock in (None, past)
    )
    said = header.format(over=over, forged=good[:-8] + good[-8:][::-1])
    headers = {"authorization": said} if said else {}
    with pytest.raises(Refusal) as refusal:
        a_verifier(keys).verify(bearer_of(said))

    answers = (
        await over_grpc(gateway.address, CHOOSE, metadata=headers),
        await over_grpc_web(gateway.http, CHOOSE, headers=headers),
        in_json(await gateway.http.post("/v1/subjects/1/choices", json={}, headers=headers)),
    )

    assert answers == (Outcome(16, refusal.value.reason),) * 3
    assert {answer.message for answer in answers} == {refusal.value.message}
    assert answers[2].http == 401
    assert gateway.world.upstream.calls == {}


async def test_nobody_outside_says_who_they_are_or_where_they_come_from_by_a_header(gateway: Gateway) -> None:
    spoofed = {
        "X-Sluice-Gateway": "0",
        "x-sluice-party": "acme",
        "X-Sluice-Address": "192.0.2.77",
        "x-forwarded-for": "192.0.2.77",
        "x-envoy-original-path": "/v1/other",
        "x-envoy-external-address": "192.0.2.77",
        "x-forwarded-client-cert": "By=spiffe://sluice/licensing",
    }

    await gateway.http.get("/v1/decisions/1", headers={**GOOD, **spoofed})
    await over_grpc(
        gateway.address, DECISION, metadata={**GOOD, **{k.lower(): v for k, v in spoofed.items()}}
    )

    for heard in gateway.world.upstream.calls[DECISION]:
        ours = {name: value for name, value in heard.items() if name.startswith("x-sluice-")}
        assert ours == {"x-sluice-gateway": "1"}
        assert "192.0.2.77" not in " ".join(heard.values())
        assert "x-forwarded-client-cert" not in heard
    for asked in gateway.world.licensing.asked:
        assert asked.request.http.headers["x-sluice-address"] == "127.0.0.1"


async def test_a_header_that_could_be_read_as_another_one_is_400(gateway: Gateway) -> None:
    answer = await gateway.http.get("/v1/decisions/1", headers={**GOOD, "x_sluice_gateway": "0"})

    assert (answer.status_code, in_json(answer)) == (400, MALFORMED)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1%2Fdecisions/1", 400),
        ("/v1/decisions/1%5C", 400),
        ("/v1/decisions/%00", 400),
        ("/V1/decisions/1", 404),
        ("/v1/DECISIONS/1", 404),
        ("/sluice.consent.v1.ConsentService/../../v1/nothing", 404),
        ("/v1/decisions/%2e%2e/other", 404),
        ("/sluice.licensing.v1.ReleaseService/getdecision", 404),
        ("/sluice.licensing.v1.ReleaseService/GetDecision/", 404),
        ("/envoy.service.auth.v3.Authorization/Check", 404),
        ("/grpc.health.v1.Health/Check", 404),
        ("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", 404),
    ],
)
async def test_a_path_has_one_way_to_be_written(gateway: Gateway, path: str, status: int) -> None:
    found, answer = await raw(gateway.address, a_request(f"GET {path}"))

    assert (found, json_outcome(answer)) == (status, NOT_ROUTED if status == 404 else MALFORMED)
    assert gateway.world.upstream.calls == {}


@pytest.mark.parametrize("path", ["//v1/decisions/1", "/v1/./decisions/1", "/v1/other/../decisions/1"])
async def test_slashes_and_dots_are_gone_before_anyone_is_asked(gateway: Gateway, path: str) -> None:
    without = a_request(f"GET {path}").replace(b"good", b"bad")

    let_in, _ = await raw(gateway.address, a_request(f"GET {path}"))
    kept_out, _ = await raw(gateway.address, without)

    assert (let_in, kept_out) == (200, 401)
    assert {each.request.http.path for each in gateway.world.licensing.asked} == {DECISION}


async def test_json_sent_to_the_path_of_an_rpc_is_415(gateway: Gateway) -> None:
    answer = await gateway.http.post(DECISION, json={}, headers=GOOD)

    assert (answer.status_code, in_json(answer)) == (415, Outcome(3, "GATEWAY_MEDIA_TYPE"))


async def test_headers_that_are_too_large_are_431_and_what_is_no_http_is_400(gateway: Gateway) -> None:
    large, answer = await raw(gateway.address, a_request("GET /v1/policies", "x: " + "a" * 40_000))
    garbage, told = await raw(gateway.address, b"GARBAGE\r\n\r\n")

    assert (large, json_outcome(answer)) == (431, Outcome(8, "GATEWAY_HEADERS_TOO_LARGE"))
    assert (garbage, json_outcome(told)) == (400, MALFORMED)


@pytest.mark.parametrize("path", ["/v1/subjects/1/choices", CHOOSE])
async def test_a_page_of_a_known_origin_may_call_and_no_other(gateway: Gateway, path: str) -> None:
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}

    known = await gateway.http.options(path, headers={"origin": ORIGIN, **asked})
    for stranger in ("https://evil.example", f"{ORIGIN}.evil.example", "null", f"{ORIGIN}:{a_free_port()}"):
        answer = await gateway.http.options(path, headers={"origin": stranger, **asked})
        assert (answer.status_code, answer.headers.get("access-control-allow-origin")) == (404, None)

    assert known.status_code == 200
    assert known.headers["access-control-allow-origin"] == ORIGIN
    assert "authorization" in known.headers["access-control-allow-headers"]
    assert gateway.world.upstream.calls == {}


async def test_a_page_can_read_answers_and_errors(gateway: Gateway) -> None:
    origin = {"origin": ORIGIN}

    answered = await gateway.http.get("/v1/decisions/1", headers={**GOOD, **origin})
    refused = await gateway.http.get("/v1/policies", headers=origin)
    web = await over_grpc_web(gateway.http, DECISION, headers={**GOOD, **origin})

    for headers in (answered.headers, refused.headers, web.headers):
        assert headers["access-control-allow-origin"] == ORIGIN
        assert "grpc-status-details-bin" in headers["access-control-expose-headers"]


@pytest.mark.parametrize(
    ("line", "headers"),
    [
        ("CONNECT sluice.example:443", ()),
        ("GET /v1/decisions/1", ("connection: upgrade", "upgrade: websocket")),
        ("POST /v1/decisions/1:countersign", ("transfer-encoding: xchunked",)),
    ],
)
async def test_what_is_no_plain_request_is_501_at_once(
    gateway: Gateway, line: str, headers: tuple[str, ...]
) -> None:
    request = f"{line} HTTP/1.1\r\nhost: sluice.example\r\n" + "".join(f"{each}\r\n" for each in headers)

    status, answer = await raw(gateway.address, request.encode() + b"\r\n")

    assert (status, json_outcome(answer)) == (501, NOT_SPOKEN)
    assert gateway.world.upstream.calls == {}


@pytest.mark.parametrize("path", [CHOOSE, DECISION])
async def test_the_path_of_an_rpc_has_no_query(gateway: Gateway, path: str) -> None:
    minter = a_minter(some_keys(gateway.envoy.log.parent))
    shown = {"authorization": f"Bearer {minter.mint(PrincipalKind.SUBJECT, '1')}"}
    gateway.world.licensing.refusal = None

    answers = [await over_grpc_web(gateway.http, path + query, headers=shown) for query in ("?x=1", "?", "")]

    assert answers == [NOT_ROUTED, NOT_ROUTED, Outcome(0)]


async def test_a_query_of_a_path_in_json_becomes_part_of_the_message(gateway: Gateway) -> None:
    answer = await gateway.http.get("/v1/recalls?pageSize=7", headers=GOOD)

    assert answer.status_code == 200
    assert b"\x07" in gateway.world.upstream.messages[0]
