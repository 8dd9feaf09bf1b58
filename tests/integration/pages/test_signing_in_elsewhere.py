"""Coming into the pages by a provider of sign-ins, with a browser that is sent there and back."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography.fernet import Fernet

from services.chassis.identity import PrincipalKind
from services.console.operations.app import console_app
from services.console.settings_page.app import settings_app
from services.console.settings_page.texts import Texts
from services.console.web.calling import Services
from services.console.web.provider import Provider
from services.console.web.sessions import Seal
from tests.support.pages import ORIGIN, Seen, Visitor
from tests.support.pages_world import PagesWorld
from tests.support.provider import CLIENT, SECRET, ProviderServer, a_provider

TEN_MINUTES_US = 600_000_000


@dataclass
class Elsewhere:
    """The settings page with a provider, whose access tokens the services believe."""

    world: PagesWorld
    provider: ProviderServer
    visitor: Visitor

    def is_for(self, kind: PrincipalKind, party: str) -> None:
        """Whoever signs in there from now on is this one."""
        self.provider.tokens = {"access_token": self.world.cluster.licensing.token(kind, party)}

    async def start(self, next: str = "/") -> httpx.Response:
        """Sets out, and is not followed."""
        return await self.visitor.http.get("/sign-in/start", params={"next": next}, follow_redirects=False)

    async def sign_in(self, next: str = "/") -> Seen:
        """Goes there and comes back."""
        return await self.visitor.get(await self.back(next))

    async def back(self, next: str = "/") -> str:
        """Goes there; the address that they are sent back to."""
        return await self.provider.back_from((await self.start(next)).headers["location"])


@pytest.fixture
async def elsewhere(world: PagesWorld) -> AsyncIterator[Elsewhere]:
    async with a_provider() as provider, _services(world) as services:
        await world.cluster.know(7)
        app = settings_app(
            name="Example",
            services=services,
            seal=Seal([Fernet.generate_key()], world.cluster.clock),
            clock=world.cluster.clock,
            origin=ORIGIN,
            texts=Texts(),
            provider=Provider(provider.issuer, CLIENT, SECRET, token="access_token"),
        )
        async with Visitor(app) as visitor:
            found = Elsewhere(world, provider, visitor)
            found.is_for(PrincipalKind.SUBJECT, "7")
            yield found


@contextlib.asynccontextmanager
async def _services(world: PagesWorld) -> AsyncIterator[Services]:
    cluster = world.cluster
    services = Services({"consent": cluster.consent_address, "licensing": cluster.licensing.address})
    try:
        yield services
    finally:
        await services.close()


async def test_a_subject_signs_in_where_the_platform_has_its_sign_in(elsewhere: Elsewhere) -> None:
    before = await elsewhere.visitor.get("/")

    after = await elsewhere.sign_in()

    assert 'href="/sign-in/start?next=/"' in before.html
    assert after.status == 200
    assert "Your choices" in after.text


async def test_c1_the_no_of_a_browser_is_kept_when_its_reader_comes_back(elsewhere: Elsewhere) -> None:
    elsewhere.visitor.http.headers["sec-gpc"] = "1"

    page = await elsewhere.sign_in()

    assert "The no of your browser is on record." in page.text


async def test_a_sign_in_leads_back_to_where_it_was_asked_for(elsewhere: Elsewhere) -> None:
    asked = await elsewhere.visitor.get("/language?to=es&next=/?page=2")

    after = await elsewhere.sign_in("/?page=2")

    assert asked.url.endswith("/sign-in?next=/%3Fpage%3D2")
    assert after.url == f"{ORIGIN}/?page=2"


async def test_a_sign_in_never_leads_elsewhere(elsewhere: Elsewhere) -> None:
    after = await elsewhere.sign_in("//evil.example/")

    assert after.url == f"{ORIGIN}/"


async def test_the_same_answer_signs_nobody_in_a_second_time(elsewhere: Elsewhere) -> None:
    back = await elsewhere.back()
    await elsewhere.visitor.get(back)

    again = await elsewhere.visitor.get(back)
    still = await elsewhere.visitor.get("/")

    assert again.status == 400
    assert "SIGN_IN_LOST" in again.text
    assert still.status == 200


async def test_an_answer_brings_nobody_in_who_has_not_asked_for_it(elsewhere: Elsewhere) -> None:
    # Somebody else's answer, by a link that they were made to follow: they would be in as somebody else.
    back = await elsewhere.back()
    elsewhere.visitor.http.cookies.clear()

    page = await elsewhere.visitor.get(back)

    assert page.status == 400
    assert "You were not signed in" in page.text
    assert "/token" not in elsewhere.provider.asked


async def test_a_sign_in_that_takes_too_long_is_to_be_begun_again(elsewhere: Elsewhere) -> None:
    back = await elsewhere.back("/?page=2")
    elsewhere.world.cluster.clock.advance(TEN_MINUTES_US + 1_000_000)

    page = await elsewhere.visitor.get(back)

    assert "SIGN_IN_LOST" in page.text


async def test_who_does_not_agree_there_is_not_signed_in_here(elsewhere: Elsewhere) -> None:
    elsewhere.provider.says = {"error": "access_denied", "error_description": "<script>alert(1)</script>"}

    page = await elsewhere.sign_in("/?page=2")

    assert page.status == 403
    assert "not agreed to" in page.text
    assert "alert(1)" not in page.html
    assert 'href="/sign-in?next=/%3Fpage%3D2"' in page.html


async def test_a_token_that_the_services_do_not_believe_signs_nobody_in(elsewhere: Elsewhere) -> None:
    elsewhere.provider.tokens = {"access_token": "of somebody else's"}

    page = await elsewhere.sign_in()

    assert page.status == 401
    assert "You were not signed in" in page.text


async def test_an_operator_is_not_let_into_the_page_of_subjects(elsewhere: Elsewhere) -> None:
    elsewhere.is_for(PrincipalKind.OPERATOR, "ada")

    page = await elsewhere.sign_in()
    after = await elsewhere.visitor.get("/")

    assert page.status == 403
    assert "this page is not for you" in page.text
    assert "/sign-in" in after.url


async def test_who_fails_to_sign_in_again_stays_who_they_were(elsewhere: Elsewhere) -> None:
    await elsewhere.sign_in()
    elsewhere.provider.tokens = {"access_token": "of somebody else's"}

    failed = await elsewhere.sign_in()
    after = await elsewhere.visitor.get("/")

    assert failed.status == 401
    assert "Your choices" in after.text


async def test_a_provider_that_is_down_is_said_to_be(elsewhere: Elsewhere) -> None:
    elsewhere.provider.document = {"issuer": "https://id.example.com"}

    page = await elsewhere.visitor.get("/sign-in/start?next=/")

    assert page.status == 503
    assert "cannot be reached at the moment" in page.text


async def test_the_browser_keeps_what_was_begun_where_no_script_reads_it(elsewhere: Elsewhere) -> None:
    start = await elsewhere.start()

    kept = start.headers["set-cookie"]

    assert start.status_code == 303
    assert urlsplit(start.headers["location"]).path == "/authorize"
    assert "HttpOnly" in kept
    assert "SameSite=lax" in kept
    assert "Max-Age=600" in kept


async def test_who_signs_out_here_may_sign_out_there_as_well(elsewhere: Elsewhere) -> None:
    elsewhere.provider.document = {"end_session_endpoint": f"{elsewhere.provider.issuer}/out"}
    seen = await elsewhere.sign_in()

    out = await elsewhere.visitor.press(seen, "Sign out")
    after = await elsewhere.visitor.get("/")

    assert f'href="{elsewhere.provider.issuer}/out' in out.html
    assert "/sign-in" in after.url


async def test_the_console_has_a_provider_of_its_own(world: PagesWorld) -> None:
    async with a_provider() as provider, _services(world) as services:
        app = console_app(
            services=services,
            seal=Seal([Fernet.generate_key()], world.cluster.clock),
            clock=world.cluster.clock,
            origin=ORIGIN,
            provider=Provider(provider.issuer, CLIENT, SECRET, token="access_token"),
        )
        async with Visitor(app) as visitor:
            came = Elsewhere(world, provider, visitor)
            came.is_for(PrincipalKind.SUBJECT, "7")

            page = await came.sign_in()

    assert page.status == 403


async def test_two_windows_sign_in_at_once(elsewhere: Elsewhere) -> None:
    first, second = await elsewhere.back("/?page=1"), await elsewhere.back("/?page=2")

    pages = [await elsewhere.visitor.get(back) for back in (first, second)]
    again = await elsewhere.visitor.get(first)

    assert [page.url for page in pages] == [f"{ORIGIN}/?page=1", f"{ORIGIN}/?page=2"]
    assert "SIGN_IN_LOST" in again.text


async def test_a_browser_keeps_only_the_last_sign_ins_that_it_has_begun(elsewhere: Elsewhere) -> None:
    backs = [await elsewhere.back() for _ in range(5)]

    kept = [name for name in elsewhere.visitor.http.cookies if "-pending-" in name]
    oldest, latest = [await elsewhere.visitor.get(back) for back in (backs[0], backs[-1])]

    assert len(kept) == 3
    assert "SIGN_IN_LOST" in oldest.text
    assert latest.status == 200
