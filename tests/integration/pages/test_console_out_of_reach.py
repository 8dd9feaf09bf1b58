"""What operators see while a service is down: the table of docs/pages.md, cell by cell."""

import pytest

from sluice.licensing.v1.license_pb2 import LicenseAllowance
from tests.support.consoles import a_console
from tests.support.pages_licensing import open_to_all, released
from tests.support.pages_world import PagesWorld

A_DAY = LicenseAllowance(per="ALLOWANCE_SUBJECT_LICENSE", window="WINDOW_ROLLING_DAY", limit=1_000)
SAID = "cannot be reached at the moment"
PAGES = (
    *("/", "/decisions", "/licenses", "/licenses/acme-training", "/licenses/acme-training/suspend"),
    *("/licensees", "/licensees/acme", "/revenue", "/recalls", "/damages", "/approvals", "/halts"),
    *("/halts/order?kind=everything", "/wall", "/wall/raise?hours=6", "/log", "/actions"),
)
OF_SEVERAL = {"/", "/actions"}
"""Pages with parts of all services."""
OF_METERING = {"/damages", "/approvals"}
LICENSES = {"/licenses", "/licenses/acme-training", "/licensees/acme"}
"""Pages with the halts of consent and the windows of metering."""
OF_CONSENT = {"/halts"}
HALTING = {"/halts/order?kind=everything"}
"""What a halt covers takes no service to say."""


@pytest.mark.parametrize(
    ("down", "missed"),
    [
        ("consent", OF_SEVERAL | OF_CONSENT | LICENSES),
        ("metering", OF_SEVERAL | OF_METERING | LICENSES),
        ("licensing", set(PAGES) - OF_METERING - OF_CONSENT - HALTING),
    ],
)
async def test_what_a_service_has_is_said_to_be_out_of_reach_and_the_rest_stands(
    world: PagesWorld, down: str, missed: set[str]
) -> None:
    await open_to_all(world.cluster)
    await world.cluster.license(allowances=[A_DAY])
    await released(world.cluster)

    async with a_console(world, without=[down]) as (visitor, _):
        seen = {path: await visitor.get(path) for path in PAGES}

    assert {page.status for page in seen.values()} <= {200, 503}
    assert {path for path, page in seen.items() if SAID in page.text} == missed


@pytest.mark.parametrize("down", ["consent", "metering", "licensing"])
async def test_operators_come_in_while_one_service_is_down(world: PagesWorld, down: str) -> None:
    async with a_console(world, without=[down], comes_in=True) as (_, seen):
        assert (seen.status, "Overview" in seen.text) == (200, True)
