"""What is seen of requests: their route and outcome, and nothing by which anybody could be known."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.responses import PlainTextResponse

from services.console.web.watched import NO_ROUTE, Watched
from tests.support.telemetry import recording, spans_in

router = APIRouter()


@router.get("/licenses/{license_id}")
async def a_license(license_id: str) -> PlainTextResponse:
    """A page."""
    return PlainTextResponse(license_id, 503 if license_id == "down" else 200)


@router.get("/healthz")
async def healthz() -> PlainTextResponse:
    """Health."""
    return PlainTextResponse("ok")


async def asked(path: str, method: str = "GET", **headers: str) -> None:
    app = FastAPI()
    app.include_router(router)
    transport = httpx.ASGITransport(Watched(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://page.test") as client:
        await client.request(method, path, headers=headers)


def lines_of(said: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in said.splitlines()]
    return [line for line in lines if line["event"] == "request"]


def attributes_of(span: dict[str, Any]) -> dict[str, str]:
    return {each["key"]: next(iter(each["value"].values())) for each in span["attributes"]}


async def test_a_request_is_one_span_and_one_line_that_tell_the_template_of_its_route(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with recording(tmp_path / "spans.jsonl", level="INFO"):
        await asked("/licenses/a-name?code=a-secret")

    [span] = spans_in(tmp_path / "spans.jsonl")
    [line] = lines_of(capsys.readouterr().err)
    assert span["name"] == "GET /licenses/{license_id}"
    assert attributes_of(span) == {
        "http.request.method": "GET",
        "http.route": "/licenses/{license_id}",
        "http.response.status_code": "200",
    }
    assert (line["method"], line["route"], line["status"]) == ("GET", "/licenses/{license_id}", 200)
    assert line["trace_id"] == span["traceId"]
    for held in (json.dumps(line), json.dumps(span)):
        assert "a-name" not in held
        assert "a-secret" not in held


async def test_a_page_that_could_not_be_made_is_an_error_of_the_trace(tmp_path: Path) -> None:
    with recording(tmp_path / "spans.jsonl"):
        await asked("/licenses/down")

    [span] = spans_in(tmp_path / "spans.jsonl")
    assert attributes_of(span)["error.type"] == "503"
    assert span["status"] == {"code": 2, "message": "503"}


async def test_what_a_stranger_makes_up_is_counted_under_names_of_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with recording(tmp_path / "spans.jsonl", level="INFO"):
        await asked("/wp-login/1001", "BREW")

    [span], [line] = spans_in(tmp_path / "spans.jsonl"), lines_of(capsys.readouterr().err)
    assert span["name"] == f"_OTHER {NO_ROUTE}"
    assert (line["method"], line["route"], line["status"]) == ("_OTHER", NO_ROUTE, 404)


async def test_no_stranger_decides_what_is_recorded_and_under_which_id(tmp_path: Path) -> None:
    theirs = "0af7651916cd43dd8448eb211c80319c"

    with recording(tmp_path / "spans.jsonl"):
        await asked("/licenses/a", traceparent=f"00-{theirs}-b7ad6b7169203331-01")

    [span] = spans_in(tmp_path / "spans.jsonl")
    assert span["traceId"] != theirs
    assert "parentSpanId" not in span


async def test_what_is_asked_for_all_the_time_fills_neither_log_nor_traces(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with recording(tmp_path / "spans.jsonl", level="INFO"):
        await asked("/healthz")
        await asked("/assets/style.css")
        await asked("/healthz-of-a-stranger")
        await asked("/licenses/a")

    assert len(spans_in(tmp_path / "spans.jsonl")) == 2
    assert len(lines_of(capsys.readouterr().err)) == 2
