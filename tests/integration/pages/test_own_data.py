"""A subject's records as a file, from their page (C11)."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from services.chassis.dialing import Peer
from services.chassis.identity import PrincipalKind
from services.chassis.refusals import precondition, unavailable
from services.console.settings_page import own_data
from sluice.consent.v1 import subject_service_pb2 as pb
from sluice.consent.v1.subject_service_pb2_grpc import SubjectServiceStub
from tests.support.choosing_pages import Fragile, a_settings_page
from tests.support.page_texts import some_texts
from tests.support.pages import Visitor
from tests.support.pages_world import PagesWorld
from tests.support.refusing import break_off_streams, give_many, hold_streams
from tests.support.served_pages import served

FIRST = pb.ExportSubjectResponse(part=b'{"choices": [', media_type="application/json")


@pytest.fixture
async def visitor(world: PagesWorld) -> AsyncIterator[Visitor]:
    """Subject 7, who has said no."""
    await world.cluster.know(7)
    await world.cluster.opt_out(7)
    async with world.subject(7) as (visitor, _):
        yield visitor


async def test_all_records_come_as_a_file_with_a_name_and_a_type(visitor: Visitor) -> None:
    file = await visitor.http.get("/data/json")

    assert file.json()["subject_id"] == "7"
    assert file.headers["content-type"] == "application/json"
    assert file.headers["content-disposition"] == 'attachment; filename="records-json-2025-10-09.json"'
    assert file.headers["cache-control"] == "no-store"
    assert "7" not in file.url.path


async def test_a_file_of_many_parts_is_whole(world: PagesWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.consent.rpc.documents.PART_BYTES", 100)
    await world.cluster.know(7)
    for _ in range(20):
        await world.cluster.opt_in(7)

    async with world.subject(7) as (visitor, _):
        file = await visitor.http.get("/data/json")

    assert len(file.content) > 2_000
    assert len(file.json()["choices"]) == 20


async def test_a_form_that_the_platform_has_not_set_up_is_refused_in_words(visitor: Visitor) -> None:
    page = await visitor.get("/data/kantara")

    assert page.status == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "has not set up this form yet" in page.text


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("NOTHING_ALLOWED", "You allow nothing at present: there is none."),
        ("SUBJECT_ERASED", "Your records were erased, and everything is denied."),
        ("SUBJECT_UNKNOWN", "Nothing is on record about you."),
    ],
)
async def test_what_a_form_cannot_say_is_said_on_the_page(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch, reason: str, said: str
) -> None:
    break_off_streams(monkeypatch, precondition(reason, "not in this form"))

    page = await visitor.get("/data/dpv")

    assert page.status == 200
    assert said in page.text
    assert "Download: All records" in page.text.replace("  ", " ")


async def test_without_a_controller_only_plain_json_is_offered(world: PagesWorld, tmp_path: Path) -> None:
    await world.cluster.know(7)
    token = world.cluster.licensing.token(PrincipalKind.SUBJECT, "7")
    services, texts = Fragile(world.cluster), some_texts(tmp_path / "texts")
    app = a_settings_page(world, services, texts, standard_forms=False)

    async with Visitor(app) as visitor:
        await visitor.sign_in(world.links.make(token))
        page = await visitor.get("/data")
        typed = await visitor.get("/data/dpv")
    await services.close()

    assert re.findall(r'href="(/data/[^"]*)"', page.html) == ["/data/json"]
    assert re.findall(r'href="(/data/[^"]*)"', typed.html) == ["/data/json"]
    assert "has not set up this form yet" in typed.text


@pytest.mark.parametrize("path", ["/data/xml", "/data/../json", "/data/JSON"])
async def test_other_forms_are_not_there(visitor: Visitor, path: str) -> None:
    page = await visitor.get(path)

    assert page.status in {400, 404}


async def test_somebody_erased_gets_what_is_left(world: PagesWorld) -> None:
    await world.cluster.know(7)
    await erase(world, 7)

    async with world.subject(7) as (visitor, _):
        file = await visitor.http.get("/data/json")

    assert "erased" in json.dumps(file.json())


async def test_consent_that_is_down_before_the_first_part_is_a_page(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_off_streams(monkeypatch, unavailable("PEER_UNAVAILABLE", "consent did not answer"))

    page = await visitor.get("/data/json")

    assert page.status == 503
    assert "cannot be reached at the moment" in page.text
    assert "content-disposition" not in page.headers


async def test_consent_that_does_not_begin_in_time_is_a_page(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_data, "FIRST_PART_SECONDS", 0.05)
    hold_streams(monkeypatch)

    page = await visitor.get("/data/json")

    assert page.status == 503
    assert "cannot be reached at the moment" in page.text
    assert "content-disposition" not in page.headers


async def test_a_file_that_breaks_off_is_no_whole_file(
    world: PagesWorld, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_off_streams(monkeypatch, unavailable("PEER_UNAVAILABLE", "consent did not answer"), FIRST)

    cookies, headers = dict(visitor.http.cookies), {"host": "settings.test"}
    async with (
        served(lambda _: world.settings) as origin,
        httpx.AsyncClient(cookies=cookies, headers=headers) as browser,
    ):
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
            await browser.get(f"{origin}/data/json")


async def test_two_files_that_nobody_reads_are_all_that_one_subject_is_given(
    world: PagesWorld, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    # More than the buffers between the two hold.
    part = pb.ExportSubjectResponse(part=b"x" * 65_536, media_type="application/json")
    give_many(monkeypatch, part, 400)
    cookies, headers = dict(visitor.http.cookies), {"host": "settings.test"}
    async with (
        served(lambda _: world.settings) as origin,
        httpx.AsyncClient(cookies=cookies, headers=headers, base_url=origin) as browser,
        world.subject(8) as (other, _),
        browser.stream("GET", "/data/json") as first,
        browser.stream("GET", "/data/json") as second,
    ):
        third = await browser.get("/data/json")
        theirs = httpx.AsyncClient(cookies=dict(other.http.cookies), headers=headers)
        async with theirs, theirs.stream("GET", f"{origin}/data/json") as others:
            pass
        choices = await browser.get("/")

    assert (first.status_code, second.status_code, others.status_code) == (200, 200, 200)
    assert (third.status_code, third.headers["retry-after"]) == (429, "5")
    assert "Too many requests: wait a moment" in third.text
    assert choices.status_code == 200


async def erase(world: PagesWorld, subject_id: int) -> None:
    """As an operator does."""
    token = world.cluster.licensing.token(PrincipalKind.OPERATOR, "ada", ["admin"])
    peer = Peer(world.cluster.consent_address, lambda: token, name="consent")
    request = pb.EraseSubjectRequest(request_id=world.cluster.new_id(), subject_id=subject_id)
    await peer.call(SubjectServiceStub(peer.channel).EraseSubject, request)
    await peer.close()
