"""What works on the pages while something is down: the table of docs/pages.md, through the real gateway."""

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import AsyncIterator, Iterator
from itertools import count

import httpx
import pytest

from services.chassis.identity import PrincipalKind
from tests.support.pages_fleet import CONSOLE, ROLES, SETTINGS, PagesFleet, a_pages_fleet, settle
from tests.support.through import has_ended
from tests.support.waiting import until, until_told

SUBJECTS = count(20)
"""Each test has one who has not chosen yet."""
CHOICES, RECEIVED, OF_CONSENT = "/", "/received", ("/history", "/data/json")
HALTS, OF_LICENSING = "/halts", ("/licenses", "/licensees")
OF_METERING = "/damages"
LACKS_LIST = "The list of licensees cannot be reached at the moment."
OUT_OF_REACH = ("This cannot be reached at the moment.", "A service cannot be reached at the moment")
PART_OUT_OF_REACH = "This part cannot be reached at the moment."


class Both:
    """A subject and an operator who are in."""

    def __init__(
        self, fleet: PagesFleet, subject: httpx.AsyncClient, operator: httpx.AsyncClient, sealed: str
    ) -> None:
        """`sealed` is the field of a form that says no, made when all was up."""
        self.fleet = fleet
        self.subject = subject
        self.operator = operator
        self._sealed = sealed

    async def says_no(self) -> httpx.Response:
        """Presses the switch for everyone."""
        return await self.subject.post("/choose", data={"form": self._sealed})

    async def comes_in(self) -> tuple[int, int]:
        """How those fare who sign in now, at the settings page and at the console."""
        subject = self.fleet.link(SETTINGS, PrincipalKind.SUBJECT, str(next(SUBJECTS)))
        operator = self.fleet.link(CONSOLE, PrincipalKind.OPERATOR, "bob", ROLES)
        async with browser(self.fleet, SETTINGS) as one, browser(self.fleet, CONSOLE) as other:
            return (await come_in(one, subject)).status_code, (await come_in(other, operator)).status_code

    async def works(self) -> bool:
        """Whether everything is shown that there is."""
        pages = [await self.subject.get(path) for path in (CHOICES, RECEIVED, *OF_CONSENT)]
        pages += [await self.operator.get(path) for path in (CHOICES, HALTS, OF_METERING, *OF_LICENSING)]
        return all(page.status_code == 200 and "cannot be reached" not in page.text for page in pages)


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagesFleet]:
    """An installation of its own: others would find theirs without what was taken from it."""
    with a_pages_fleet(tmp_path_factory.mktemp("down")) as fleet:
        asyncio.run(settle(fleet))
        yield fleet


@pytest.fixture
async def both(apart: PagesFleet) -> AsyncIterator[Both]:
    """With all of it up."""
    async with browser(apart, SETTINGS) as subject, browser(apart, CONSOLE) as operator:
        someone = str(next(SUBJECTS))

        async def forms() -> list[str]:
            # What the test before has taken away may be on its way back.
            page = await come_in(subject, apart.link(SETTINGS, PrincipalKind.SUBJECT, someone))
            return re.findall(
                r'action="/choose">\s*<input type="hidden" name="form" value="([^"]+)"', page.text
            )

        sealed = await until_told(forms, "a subject comes in", 0.5)
        await come_in(operator, apart.link(CONSOLE, PrincipalKind.OPERATOR, "ada", ROLES))
        people = Both(apart, subject, operator, sealed[0])
        await until_told(people.works, "everything works")
        yield people


@contextlib.asynccontextmanager
async def browser(fleet: PagesFleet, page: str) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody's, at one of the pages."""
    origin = fleet.origin(page)
    async with httpx.AsyncClient(
        base_url=origin, headers={"origin": origin}, follow_redirects=True, timeout=60
    ) as client:
        yield client


async def come_in(client: httpx.AsyncClient, link: str) -> httpx.Response:
    """Follows a link that signs in, and presses its button."""
    return await client.post("/sign-in/link", data={"code": link.partition("code=")[2]})


@contextlib.asynccontextmanager
async def gone(fleet: PagesFleet, program: str) -> AsyncIterator[None]:
    """A program that is not there: nobody starts it again before the end of the context."""
    supervisor, pid = fleet.up.process.pid, fleet.pid(program)
    os.kill(supervisor, signal.SIGSTOP)
    try:
        os.kill(pid, signal.SIGKILL)
        await until(lambda: has_ended(pid), f"{program} has ended")
        yield
    finally:
        os.kill(supervisor, signal.SIGCONT)
        await until(lambda: fleet.pid(program) != pid, f"{program} is running again", 0.05)


@pytest.mark.parametrize("program", ["metering", "licensing"])
async def test_without_metering_or_licensing_people_choose_and_see_what_they_chose(
    both: Both, program: str
) -> None:
    """The gateway lets nothing of licensing through that metering has not counted."""
    async with gone(both.fleet, program):
        choices, received = await both.subject.get(CHOICES), await both.subject.get(RECEIVED)
        own = [(await both.subject.get(path)).status_code for path in OF_CONSENT]
        no = await both.says_no()
        came_in = await both.comes_in()

    assert choices.status_code == 200
    assert LACKS_LIST in choices.text
    assert received.status_code == 503
    assert OUT_OF_REACH[0] in received.text
    assert own == [200, 200]
    assert "Your no is on record, for everyone" in no.text
    assert came_in == (200, 200)


async def test_without_metering_the_console_lacks_what_it_counts(both: Both) -> None:
    async with gone(both.fleet, "metering"):
        counted = [(await both.operator.get(path)).text for path in (OF_METERING, "/licenses")]
        rest = [(await both.operator.get(path)).text for path in (HALTS, "/licensees", "/recalls", "/log")]

    assert all(PART_OUT_OF_REACH in text or "cannot be reached" in text for text in counted)
    assert not [text for text in rest if "cannot be reached" in text]


async def test_without_licensing_the_console_has_halts_damages_and_what_waits(both: Both) -> None:
    async with gone(both.fleet, "licensing"):
        there = [(await both.operator.get(path)).text for path in (HALTS, OF_METERING, "/approvals")]
        lacking = [
            (await both.operator.get(path)).text for path in (CHOICES, "/recalls", "/log", *OF_LICENSING)
        ]

    assert not [text for text in there if "cannot be reached" in text]
    assert all("cannot be reached" in text for text in lacking)


async def test_without_consent_nobody_chooses_and_who_received_posts_is_shown(both: Both) -> None:
    async with gone(both.fleet, "consent"):
        own = [await both.subject.get(path) for path in (CHOICES, *OF_CONSENT)]
        no = await both.says_no()
        received = await both.subject.get(RECEIVED)
        halts = await both.operator.get(HALTS)
        licenses = await both.operator.get("/licenses")
        rest = [
            (await both.operator.get(path)).text for path in (OF_METERING, "/recalls", "/log", "/licensees")
        ]
        came_in = await both.comes_in()

    assert licenses.status_code == 200
    assert licenses.text.count(PART_OUT_OF_REACH) == 1, "the halts beside them"
    assert all(page.status_code == 503 and OUT_OF_REACH[1] in page.text for page in (*own, no, halts))
    assert received.status_code == 200
    assert not [text for text in rest if "cannot be reached" in text]
    assert came_in == (503, 200)


async def test_without_the_gateway_the_settings_page_says_so_and_the_console_has_everything(
    both: Both,
) -> None:
    async with gone(both.fleet, "gateway"):
        pages = [await both.subject.get(path) for path in (CHOICES, RECEIVED, *OF_CONSENT)]
        no = await both.says_no()
        console = [
            (await both.operator.get(path)).text for path in (CHOICES, HALTS, OF_METERING, *OF_LICENSING)
        ]
        came_in = await both.comes_in()

    assert [page.status_code for page in pages] == [503] * 4
    assert all("cannot be reached at the moment" in page.text for page in pages)
    assert "it is not known whether your change was taken" in no.text
    assert not [text for text in console if "cannot be reached" in text]
    assert came_in == (503, 200)
