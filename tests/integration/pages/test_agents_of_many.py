"""An agent of as many as the contract allows: in a browser's cookies, over real HTTP, to the services."""

from pathlib import Path
from random import Random

import httpx

from services.chassis.identity import PrincipalKind
from tests.support.choosing_pages import Fragile, a_settings_page
from tests.support.page_texts import some_texts
from tests.support.pages_world import PagesWorld
from tests.support.served_pages import served

MANY = Random(7).sample(range(10**18, 10**19), 256)
"""As many ids as an agent can have, of 19 digits each."""
SESSION = "sluice-settings-session-"


async def test_an_agent_of_256_comes_in_chooses_for_all_and_goes_out(
    world: PagesWorld, tmp_path: Path
) -> None:
    token = world.cluster.licensing.token(PrincipalKind.AGENT, "helper", subjects=MANY)
    services, texts = Fragile(world.cluster), some_texts(tmp_path / "texts")
    async with (
        served(lambda origin: a_settings_page(world, services, texts, origin)) as origin,
        httpx.AsyncClient(
            base_url=origin, headers={"origin": origin}, follow_redirects=True, timeout=60
        ) as browser,
    ):
        came = await browser.post("/sign-in/link", data={"code": world.links.make(token)})
        kept = {name: value for name, value in browser.cookies.items() if name.startswith(SESSION)}
        checked = await browser.post(
            "/agent/check", data={"form": sealed_in(came), "whom": "all", "wish": "no-everything"}
        )
        recorded = await browser.post("/agent/record", data={"form": sealed_in(checked)})
        await browser.post("/sign-out")

    assert came.status_code == 200
    assert "You act for 256 people." in came.text
    assert 1 < len(kept) <= 4
    assert all(len(f"{name}={value}") < 4_096 for name, value in kept.items())
    assert "It will be recorded for 256 people you act for." in checked.text
    assert "Recorded: 256 of 256." in recorded.text
    assert not [name for name in browser.cookies if name.startswith(SESSION)]
    await services.close()


async def test_whom_they_act_for_is_asked_of_consent_and_not_guessed_without_it(
    world: PagesWorld, tmp_path: Path
) -> None:
    services, texts = Fragile(world.cluster), some_texts(tmp_path / "texts")
    token = world.cluster.licensing.token(PrincipalKind.AGENT, "helper", subjects=[1, 2])
    async with (
        served(lambda origin: a_settings_page(world, services, texts, origin)) as origin,
        httpx.AsyncClient(
            base_url=origin, headers={"origin": origin}, follow_redirects=True, timeout=60
        ) as browser,
    ):
        came = await browser.post("/sign-in/link", data={"code": world.links.make(token)})
        services.gone.add("consent")
        listed = await browser.get("/agent")
        checked = await browser.post(
            "/agent/check", data={"form": sealed_in(came), "whom": "all", "wish": "no-everything"}
        )

    assert (listed.status_code, checked.status_code) == (503, 503)
    assert "A service cannot be reached at the moment" in listed.text
    await services.close()


def sealed_in(page: httpx.Response) -> str:
    """The sealed field of the last form of a page."""
    return page.text.rpartition('name="form" value="')[2].partition('"')[0]
