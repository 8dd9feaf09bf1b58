"""What is let through to the pages, and the headers of all that comes out."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse

from services.chassis.refusals import Refusal
from services.console.web.headers import Guarded

HERE = "https://settings.example.com"
OURS = {"origin": HERE, "sec-fetch-site": "same-origin"}
PAGE = PlainTextResponse("a page")


async def _asked(
    method: str = "GET", path: str = "/", headers: Any = (), *, origin: str = HERE, **more: Any
) -> httpx.Response:
    """The answer, by a name that `headers` may say another of."""
    transport = httpx.ASGITransport(Guarded(PAGE, origin=origin, **more))
    async with httpx.AsyncClient(transport=transport, base_url=origin) as client:
        return await client.request(method, path, headers=headers)


async def test_every_answer_has_the_headers_and_is_kept_by_nobody() -> None:
    for answer in (await _asked(), await _asked("POST"), await _asked(headers={"host": "evil.example"})):
        said = answer.headers
        assert said["cache-control"] == "no-store"
        assert said["x-content-type-options"] == "nosniff"
        assert said["referrer-policy"] == "same-origin"
        assert said["x-frame-options"] == "DENY"
        assert said["strict-transport-security"] == "max-age=31536000"
        assert "frame-ancestors 'none'" in said["content-security-policy"]
        assert "unsafe" not in said["content-security-policy"]


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": f"{HERE}.evil.example"},
        {"origin": "http://settings.example.com"},
        {"origin": HERE, "sec-fetch-site": "cross-site"},
        {"origin": "https://evil.example", "sec-fetch-site": "same-origin"},
        {},
        {"referer": f"{HERE}/"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"])
async def test_a_form_of_another_site_is_refused(method: str, headers: Mapping[str, str]) -> None:
    answer = await _asked(method, headers=headers)

    assert answer.status_code == 403
    assert "Nothing was changed" in answer.text


@pytest.mark.parametrize(
    "headers", [OURS, {"origin": HERE}, {"sec-fetch-site": "same-origin"}, {**OURS, "sec-fetch-site": "none"}]
)
async def test_a_form_of_ours_is_let_through(headers: Mapping[str, str]) -> None:
    assert (await _asked("POST", headers=headers)).text == "a page"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "settings.example.com.evil.example",
        "settings.example.com:444",
        "settings.example.com:0",
        "settings.example.com:99999",
        "user@settings.example.com",
        "evil.example@settings.example.com",
        "settings.example.com@evil.example",
        "settings.example.com/evil",
        "settings.example.com?evil",
        "settings.example.com#evil",
        "settings.example.com\\evil",
        "settings.example.com evil",
        "[::1]",
        "[",
        "",
    ],
)
async def test_nothing_is_answered_under_another_name(host: str) -> None:
    for method, headers in (("GET", {}), ("POST", OURS)):
        answer = await _asked(method, headers={**headers, "host": host})

        assert answer.status_code == 421
        assert "evil" not in answer.text


@pytest.mark.parametrize("host", ["settings.example.com", "SETTINGS.example.com", "settings.example.com:443"])
async def test_our_own_name_may_be_written_in_its_several_ways(host: str) -> None:
    assert (await _asked(headers={"host": host})).status_code == 200


async def test_a_request_with_two_names_is_nobodys() -> None:
    headers = [("host", "settings.example.com"), ("host", "evil.example")]

    assert (await _asked(headers=headers)).status_code == 421


async def test_whether_it_runs_is_told_under_any_name() -> None:
    assert (await _asked(path="/healthz", headers={"host": "10.0.0.7:8443"})).status_code == 200


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8411", "http://[::1]:8411", "http://localhost"])
async def test_a_local_installation_goes_by_its_address_and_port(origin: str) -> None:
    answer = await _asked("POST", headers={"origin": origin}, origin=origin)

    assert answer.status_code == 200
    assert "strict-transport-security" not in answer.headers


async def test_a_page_that_is_embedded_says_where_it_may_be() -> None:
    answer = await _asked(embedded_in=["https://www.example.com"], form_targets=["https://id.example.com"])

    assert "frame-ancestors https://www.example.com" in answer.headers["content-security-policy"]
    assert "form-action 'self' https://id.example.com" in answer.headers["content-security-policy"]
    assert "x-frame-options" not in answer.headers


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "example.com",
        "https://example.com/",
        "https://example.com:443",
        "https://EXAMPLE.com",
        "https://*.example.com",
        "https://example.com; script-src *",
        "https://example.com\r\nx: y",
        "https://a@example.com",
        "ftp://example.com",
        "'self'",
        "*",
        "https://",
    ],
)
@pytest.mark.parametrize("place", ["origin", "embedded_in", "form_targets"])
def test_an_origin_that_is_none_is_refused_before_anything_is_served(wrong: str, place: str) -> None:
    said: dict[str, str | Sequence[str]] = {"origin": HERE}
    said[place] = wrong if place == "origin" else [wrong]

    with pytest.raises(Refusal, match="ORIGIN_WRONG"):
        Guarded(PAGE, **said)  # type: ignore[arg-type]
