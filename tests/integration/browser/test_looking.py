"""What looks at pages notices what is wrong with one."""

from collections.abc import AsyncIterator

import pytest

from tests.support.browser import LAYOUT, Watched, a_browser, issues_of, watched


@pytest.fixture
async def seen() -> AsyncIterator[Watched]:
    """An empty page."""
    async with a_browser() as browser, watched(browser, "http://pages.test") as page:
        yield page


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ("<div style='width: 3000px'>wide</div>", "the page is"),
        ("<p style='width: 5em; overflow: hidden; white-space: nowrap'>long, long, long</p>", "cut: p long"),
        (
            "<button>one</button><button style='margin-left: -2em'>two</button>",
            "button one lies over button two",
        ),
    ],
)
async def test_what_does_not_fit_is_noticed(seen: Watched, html: str, fault: str) -> None:
    await seen.page.set_content(html)

    faults = await seen.page.evaluate(LAYOUT)

    assert any(each.startswith(fault) for each in faults), faults


async def test_what_fits_has_no_fault(seen: Watched) -> None:
    await seen.page.set_content(
        "<html lang=en><title>t</title><main><h1>Fits</h1><button>one</button> <button>two</button></main>"
    )

    assert await seen.page.evaluate(LAYOUT) == []
    assert await issues_of(seen.page) == []


async def test_what_a_screen_reader_cannot_name_is_noticed(seen: Watched) -> None:
    await seen.page.set_content(
        "<html lang=en><title>t</title><main><h1>Form</h1><input><img src='data:,'></main>"
    )

    assert {each.split(" ")[0] for each in await issues_of(seen.page)} == {"label", "image-alt"}


async def test_a_script_that_fails_and_a_file_of_elsewhere_are_noticed(seen: Watched) -> None:
    await seen.page.set_content("<script>missing()</script><img alt='' src='http://elsewhere.test/a.png'>")

    assert any("missing is not defined" in fault for fault in seen.faults)
    assert "asked of another origin: http://elsewhere.test/a.png" in seen.faults
