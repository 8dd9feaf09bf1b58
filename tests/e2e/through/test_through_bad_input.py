"""What comes in broken, in disguise or beyond what somebody may, through Envoy to the real services."""

import httpx
import pytest

from services.chassis.identity import PrincipalKind
from sluice.consent.v1.consent_service_pb2 import ListChoiceHistoryRequest, RecordChoiceRequest
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1.contract_service_pb2 import GetLicenseRequest
from sluice.licensing.v1.post_pb2 import Post, PostList
from sluice.licensing.v1.wall_service_pb2 import RaiseWallRequest
from sluice.type.v1.purpose_pb2 import PURPOSE_AI_TRAINING_GENERATIVE
from tests.support.consent_callers import a_deny
from tests.support.gateway_callers import Outcome, in_json, json_outcome, over_grpc, over_grpc_web, raw
from tests.support.http_forms import http_form
from tests.support.through import (
    LICENSE,
    ORIGIN,
    REQUEST_RELEASE,
    UNKNOWN_POST,
    Through,
    a_request,
    bearer,
    new_id,
)
from tests.support.through_world import MINOR, OPTED_OUT, post_of

NOT_ROUTED = Outcome(12, "GATEWAY_NOT_ROUTED")
MALFORMED = Outcome(3, "GATEWAY_REQUEST_MALFORMED")
LARGE = 20 * 1024 * 1024
DECIDE = "/sluice.licensing.v1.ReleaseService/Decide"
GET_LICENSE = "/sluice.licensing.v1.ContractService/GetLicense"
HISTORY = "/sluice.consent.v1.ConsentService/ListChoiceHistory"
CHOOSE = "/sluice.consent.v1.ConsentService/RecordChoice"
RELEASES = f"/v1/licenses/{LICENSE}/releases"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{", MALFORMED),
        (b"[]", MALFORMED),
        (b'{"postIds": [1.5]}', MALFORMED),
        (b'{"postIds": [-1]}', MALFORMED),
        (b'{"postIds": ["18446744073709551616"]}', MALFORMED),
        (b'{"purpose": "PURPOSE_NO_SUCH"}', MALFORMED),
        (b'{"requestId": "no uuid", "purpose": 2, "postIds": ["111"]}', Outcome(3, "REQUEST_ID_MALFORMED")),
        (b'{"purpose": 2, "postIds": ["111"]}', Outcome(3, "REQUEST_ID_MALFORMED")),
        (b'{"requestId": ID, "postIds": ["111"]}', Outcome(3, "PURPOSE_UNSPECIFIED")),
        (b'{"requestId": ID, "purpose": 2, "posts": ["111"]}', Outcome(3, "EMPTY_BATCH")),
    ],
)
async def test_a_body_with_wrong_or_missing_fields_is_refused_and_nothing_is_decided(
    gateway: Through, body: bytes, expected: Outcome
) -> None:
    content = body.replace(b": ID", f': "{new_id()}"'.encode())

    async with gateway.client() as client:
        answer = in_json(await client.post(RELEASES, content=content, headers=gateway.acme))

    assert (answer, answer.http) == (expected, 400)


@pytest.mark.parametrize(("name", "expected"), [("licenseId", (200, LICENSE)), ("license_id", (400, None))])
async def test_what_the_path_names_a_body_does_not_name_otherwise(
    gateway: Through, name: str, expected: tuple[int, str | None]
) -> None:
    content = http_form(REQUEST_RELEASE, a_request(post_of(11))).content({name: "lab-research"})

    async with gateway.client() as client:
        answer = await client.post(RELEASES, content=content, headers=gateway.acme)

    assert (answer.status_code, answer.json().get("decision", {}).get("licenseId")) == expected


async def test_20_megabytes_are_413_in_each_of_the_three_ways(gateway: Through) -> None:
    usual = f"host: sluice\r\n{_line(gateway.acme)}connection: close\r\ncontent-length: {LARGE}\r\n"
    json_head = f"POST {RELEASES} HTTP/1.1\r\n{usual}content-type: application/json\r\n\r\n"
    web_head = f"POST {REQUEST_RELEASE} HTTP/1.1\r\n{usual}content-type: application/grpc-web+proto\r\n\r\n"

    status, told = await raw(gateway.address, json_head.encode() + b'{"' + b"x" * (LARGE - 2))
    web, headers = await raw(gateway.address, web_head.encode() + b"x" * LARGE, head_too=True)
    over = await over_grpc(gateway.address, REQUEST_RELEASE, b"x" * LARGE, gateway.acme)

    assert (status, json_outcome(told)) == (413, Outcome(8, "GATEWAY_BODY_TOO_LARGE"))
    assert (web, b"grpc-status: 8\r\n" in headers) == (200, True)
    assert over == Outcome(8, "GATEWAY_BODY_TOO_LARGE")


def _line(headers: dict[str, str]) -> str:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items())


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "TOKEN_MISSING"),
        ({"authorization": "Bearer"}, "TOKEN_MISSING"),
        ({"authorization": "Basic YTpi"}, "TOKEN_MISSING"),
        (bearer("x"), "TOKEN_INVALID"),
        (bearer("a.b.c"), "TOKEN_INVALID"),
        (bearer("x" * 10_000), "TOKEN_INVALID"),
    ],
)
async def test_without_a_good_token_nothing_is_decided(
    gateway: Through, headers: dict[str, str], reason: str
) -> None:
    answers = await gateway.three_ways(REQUEST_RELEASE, a_request(post_of(11)), headers)

    assert answers == [Outcome(16, reason)] * 3
    assert answers[0].http == 401


async def test_a_token_of_which_one_letter_is_another_is_nobodys(gateway: Through) -> None:
    token = gateway.token(PrincipalKind.LICENSEE, "acme")
    head, claims, signature = token.split(".")
    broken = f"{head}.{claims}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"

    asked = await gateway.three_ways(REQUEST_RELEASE, a_request(post_of(11)), bearer(broken))
    chosen = await gateway.three_ways(CHOOSE, a_choice(12), bearer(broken))

    assert asked == chosen == [Outcome(16, "TOKEN_INVALID")] * 3


def a_choice(subject: int) -> RecordChoiceRequest:
    return RecordChoiceRequest(request_id=new_id(), choice=a_deny(subject))


async def test_a_licensee_decides_nothing_by_what_only_pipelines_may_say(gateway: Through) -> None:
    posts = PostList(posts=[Post(id=post_of(MINOR), author_id=11, kind=1)])  # type: ignore[arg-type]
    named = pb.DecideRequest(
        request_id=new_id(), license_id=LICENSE, purpose=PURPOSE_AI_TRAINING_GENERATIVE, posts=posts
    )

    answers = await gateway.three_ways(DECIDE, named, gateway.acme)
    pipeline = await gateway.three_ways(DECIDE, named, gateway.shown(PrincipalKind.PIPELINE, "firehose"))

    assert answers == pipeline == [NOT_ROUTED] * 3


async def test_an_author_that_a_licensee_names_changes_nothing(gateway: Through) -> None:
    """JSON drops what the contract does not know; over gRPC it is a field without a name."""
    request = a_request(post_of(MINOR), post_of(OPTED_OUT), UNKNOWN_POST)
    posts = [{"id": str(post_of(MINOR)), "authorId": "11"}]
    sent = http_form(REQUEST_RELEASE, request).content({"posts": {"posts": posts}, "authorIds": ["11"] * 3})

    async with gateway.client() as client:
        answer = await client.post(RELEASES, content=sent, headers=gateway.acme)
    unknown_field = PostList(posts=[Post(id=post_of(MINOR), author_id=11)]).SerializeToString()
    field_5 = bytes([5 << 3 | 2, len(unknown_field)]) + unknown_field
    again = await over_grpc(
        gateway.address, REQUEST_RELEASE, request.SerializeToString() + field_5, gateway.acme
    )

    assert answer.json()["decision"]["outcome"] == "OUTCOME_DENIED"
    decision = pb.RequestReleaseResponse.FromString(again.body).decision
    assert (decision.outcome, decision.replayed) == (pb.OUTCOME_DENIED, True)


@pytest.mark.parametrize("kind", [PrincipalKind.LICENSEE, PrincipalKind.SUBJECT, PrincipalKind.AUDITOR])
async def test_nobody_but_operators_raises_the_wall(gateway: Through, kind: PrincipalKind) -> None:
    request = RaiseWallRequest(request_id=new_id(), reason="mine now")
    rpc = "/sluice.licensing.v1.WallService/RaiseWall"

    shown = gateway.shown(kind, "11", ("admin", "trust"))
    async with gateway.client() as client:
        web = await over_grpc_web(client, rpc, request.SerializeToString(), shown)
    over = await over_grpc(gateway.address, rpc, request.SerializeToString(), shown)

    assert (over, web) == (Outcome(7, "NOT_ADMITTED"),) * 2


async def test_a_license_of_somebody_else_looks_like_one_that_is_not_there(gateway: Through) -> None:
    reader = gateway.shown(PrincipalKind.LICENSEE, "reader")

    theirs = await gateway.three_ways(GET_LICENSE, GetLicenseRequest(license_id=LICENSE), reader)
    none = await gateway.three_ways(GET_LICENSE, GetLicenseRequest(license_id="no-such"), reader)
    asked = await gateway.three_ways(REQUEST_RELEASE, a_request(post_of(11)), reader)

    assert theirs == none == asked == [Outcome(5, "LICENSE_UNKNOWN")] * 3
    assert {each.message for each in theirs} == {each.message for each in none}


async def test_a_subject_neither_reads_nor_chooses_for_another(gateway: Through) -> None:
    shown = gateway.shown(PrincipalKind.SUBJECT, "11")

    read = await gateway.three_ways(HISTORY, ListChoiceHistoryRequest(subject_id=12), shown)
    unknown = await gateway.three_ways(HISTORY, ListChoiceHistoryRequest(subject_id=987_654), shown)
    chosen = await gateway.three_ways(CHOOSE, a_choice(12), shown)

    assert read == unknown == chosen == [Outcome(5, "SUBJECT_UNKNOWN")] * 3
    assert (await gateway.decided(post_of(12)))["outcome"] == "OUTCOME_RELEASED"


SPOOFED: list[dict[str, str]] = [
    {"x-sluice-gateway": ""},
    {"x-sluice-gateway": "0"},
    {"x-sluice-kind": "operator", "x-sluice-party": "ada", "x-sluice-principal": "operator:ada"},
    {
        "x-envoy-original-path": "/v1/other",
        "x-envoy-external-address": "10.0.0.1",
        "x-envoy-internal": "true",
    },
    {"x-forwarded-client-cert": 'By=spiffe://x;URI=spiffe://licensing;DNS="licensing"'},
    {"x-forwarded-for": "10.0.0.1", "x-real-ip": "10.0.0.1", "forwarded": "for=10.0.0.1"},
]


@pytest.mark.parametrize("spoofed", SPOOFED, ids=lambda each: next(iter(each)))
async def test_no_header_but_the_token_says_who_somebody_is(
    gateway: Through, spoofed: dict[str, str]
) -> None:
    """A pipeline comes in by none of them, and what a licensee may stays what it was."""
    posts = PostList(posts=[Post(id=1, author_id=11)])
    named = pb.DecideRequest(request_id=new_id(), license_id=LICENSE, posts=posts)
    pipeline = gateway.shown(PrincipalKind.PIPELINE, "firehose") | spoofed
    get = pb.GetReleasedPostsRequest(decision_id=(await gateway.decided(post_of(11)))["decisionId"])

    decided = await gateway.three_ways(DECIDE, named, pipeline)
    served = await gateway.three_ways("/sluice.licensing.v1.ReleaseService/GetReleasedPosts", get, pipeline)
    nobody = await gateway.three_ways(REQUEST_RELEASE, a_request(post_of(11)), spoofed)
    acme = await gateway.three_ways(REQUEST_RELEASE, a_request(post_of(11)), gateway.acme | spoofed)

    assert decided == [NOT_ROUTED] * 3
    assert served == [Outcome(7, "NOT_ADMITTED")] * 3
    assert nobody == [Outcome(16, "TOKEN_MISSING")] * 3
    assert acme == [Outcome(0)] * 3


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1%2Flicenses", 400),
        ("/v1/licenses%5C", 400),
        ("/v1/licenses/%00", 400),
        ("/V1/licenses", 404),
        ("/v1/Licenses", 404),
        ("/posts/../v1/licenses/acme-training", 401),
        ("/posts/%2e%2e/v1/licenses", 401),
        ("//v1//licenses", 401),
        ("/v1/./licenses", 401),
        ("/posts%2F1", 400),
        ("/POSTS/1", 404),
        ("/posts", 404),
        ("/sluice.licensing.v1.ContractService/ListLicenses", 404),
    ],
)
async def test_no_way_to_write_a_path_gets_past_the_door(gateway: Through, path: str, status: int) -> None:
    request = f"GET {path} HTTP/1.1\r\nhost: sluice\r\nconnection: close\r\n\r\n"

    found, _ = await raw(gateway.address, request.encode())

    assert found == status


async def all_of_a_browsers_requests(
    client: httpx.AsyncClient, origin: str, path: str, headers: dict[str, str], content: bytes
) -> tuple[httpx.Response, httpx.Response, httpx.Response]:
    """The preflight, the call, and the call without a token, as a page of this origin makes them."""
    asked = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,x-grpc-web",
    }
    preflight = await client.options(path, headers={"origin": origin, **asked})
    call = await client.post(path, content=content, headers={"origin": origin, **headers})
    without = {name: value for name, value in headers.items() if name != "authorization"}
    refused = await client.post(path, content=content, headers={"origin": origin, **without})
    return preflight, call, refused


@pytest.mark.parametrize("is_json", [True, False], ids=["JSON", "gRPC-Web"])
async def test_a_page_of_a_foreign_origin_is_allowed_nothing_and_reads_nothing(
    gateway: Through, is_json: bool
) -> None:
    shown = gateway.shown(PrincipalKind.SUBJECT, "20")
    packed = a_choice(20).SerializeToString()
    media = "application/json" if is_json else "application/grpc-web+proto"
    path = "/v1/subjects/20/choices" if is_json else CHOOSE
    content = (
        http_form(CHOOSE, a_choice(20)).content({}) if is_json else b"\0" + len(packed).to_bytes(4) + packed
    )
    assert content is not None
    headers = {**shown, "content-type": media}

    async with gateway.client() as client:
        foreign = await client.options(
            path, headers={"origin": "https://evil.example", "access-control-request-method": "POST"}
        )
        ours = await all_of_a_browsers_requests(client, ORIGIN, path, headers, content)
        theirs = await all_of_a_browsers_requests(client, "https://evil.example", path, headers, content)

    allowed = [answer.headers.get("access-control-allow-origin") for answer in (*ours, *theirs, foreign)]
    assert allowed == [ORIGIN] * 3 + [None] * 4
    assert [ours[0].status_code, theirs[0].status_code, foreign.status_code] == [200, 404, 404]
    assert "authorization" in ours[0].headers["access-control-allow-headers"]
    assert "grpc-status-details-bin" in ours[2].headers["access-control-expose-headers"]
