"""A real browser, Debian's chromium: what it shows, and what is wrong with that."""

import contextlib
import os
import re
import shutil
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright

CHROMIUM = os.environ.get("SLUICE_CHROMIUM") or shutil.which("chromium")
MISSING = "there is no chromium on this machine (Debian: apt install chromium)"
SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
"""Where the pictures are kept."""
WIDTHS = (390, 1280)
"""Pixels: a phone and a desktop."""
SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
SERIOUS = frozenset({"serious", "critical"})
PATIENCE_MS = 15_000

LAYOUT = """() => {
  const faults = [];
  const root = document.scrollingElement;
  if (root.scrollWidth > root.clientWidth + 1)
    faults.push(`the page is ${root.scrollWidth} wide in ${root.clientWidth}`);
  const named = (element) => {
    const said = element.innerText?.trim() || element.getAttribute("aria-label") || element.name || "";
    return `${element.localName} ${said.slice(0, 40)}`;
  };
  const shown = (element) => element.checkVisibility({visibilityProperty: true}) && !element.closest(".skip");
  for (const element of document.body.querySelectorAll("*")) {
    if (!shown(element)) continue;
    const style = getComputedStyle(element);
    if (["hidden", "clip"].includes(style.overflowX) && element.scrollWidth > element.clientWidth + 1)
      faults.push(`cut: ${named(element)}`);
  }
  const kinds = "a, button, input, select, textarea, summary";
  const controls = [...document.querySelectorAll(kinds)].filter(shown);
  const boxes = controls.flatMap((element) => [...element.getClientRects()].map((box) => [element, box]));
  for (const [i, [one, a]] of boxes.entries()) {
    for (const [other, b] of boxes.slice(i + 1)) {
      if (one === other || one.contains(other) || other.contains(one)) continue;
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (wide > 1 && high > 1) faults.push(`${named(one)} lies over ${named(other)}`);
    }
  }
  return faults;
}"""

PICTURES = """() => [...document.querySelectorAll("picture")].every((picture) => {
  const image = picture.querySelector("img");
  const source = [...picture.querySelectorAll("source")].find((each) => matchMedia(each.media).matches);
  const wanted = source ? source.srcset : image.getAttribute("src");
  return image.complete && image.currentSrc === new URL(wanted, document.baseURI).href;
})"""
"""Whether every picture is the one that is meant for the day or the night."""


@dataclass
class Watched:
    """A page of the browser, and everything that went wrong on it."""

    page: Page
    origin: str
    faults: list[str] = field(default_factory=list)
    """Errors of scripts and of the policy of content, and whatever was asked of another origin."""

    async def open(self, path: str) -> None:
        """Follows a link."""
        await self.page.goto(self.origin + path)

    async def press(self, name: str, *, role: Any = "button", exact: bool = True) -> None:
        """Presses what is called so, and waits for the page that comes."""
        async with self.page.expect_navigation():
            await self.page.get_by_role(role, name=name, exact=exact).click()

    async def text(self) -> str:
        """What a reader reads, as one line."""
        return " ".join((await self.page.inner_text("body")).split())

    async def check(self, name: str, *, widths: Sequence[int] = WIDTHS) -> None:
        """Looks at the page on a phone and a desktop, by day and by night, keeps a picture of each, and fails
        where it does not fit, covers something or cannot be used by everybody.
        """
        SHOTS.mkdir(parents=True, exist_ok=True)
        faults = list[str]()
        for scheme in SCHEMES:
            await self.page.emulate_media(color_scheme=scheme)
            for width in widths:
                await self.page.set_viewport_size({"width": width, "height": 900})
                where = f"{name} at {width}, {scheme}"
                await self.page.wait_for_function(PICTURES)
                await self.page.screenshot(path=SHOTS / f"{name}-{width}-{scheme}.png", full_page=True)
                faults += [f"{where}: {fault}" for fault in await self.page.evaluate(LAYOUT)]
            faults += [f"{name}, {scheme}: {fault}" for fault in await issues_of(self.page)]
        assert not faults + self.faults


async def issues_of(page: Page) -> list[str]:
    """What axe-core finds that keeps people out: rule, gravity and where."""
    found = (await Axe().run(page)).response["violations"]
    return [
        f"{each['id']} ({each['impact']}): {[node['target'] for node in each['nodes']][:3]}"
        for each in found
        if each["impact"] in SERIOUS
    ]


@contextlib.asynccontextmanager
async def a_browser() -> AsyncIterator[Browser]:
    """Chromium, without a window; the test is left out where there is none."""
    if CHROMIUM is None:
        pytest.skip(MISSING)
    # Its sandbox does not run as root, and what it opens is our own.
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            await browser.close()


@contextlib.asynccontextmanager
async def watched(
    browser: Browser, origin: str, *, locale: str = "en-GB", scripts: bool = True
) -> AsyncIterator[Watched]:
    """A page of somebody who reads this language, with cookies of their own."""
    context = await browser.new_context(
        locale=locale, java_script_enabled=scripts, timezone_id="Europe/Paris"
    )
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    seen = Watched(page, origin)
    page.on("pageerror", lambda error: seen.faults.append(f"script: {error}"))
    page.on(
        "console", lambda said: seen.faults.append(said.text) if _is_a_fault(said.type, said.text) else None
    )
    page.on("request", lambda request: _note_foreign(seen, request.url))
    try:
        yield seen
    finally:
        await context.close()


def _is_a_fault(kind: str, text: str) -> bool:
    # A page of failure has the status of one, which the browser says too.
    return kind == "error" and not re.match(r"Failed to load resource: the server responded with", text)


def _note_foreign(seen: Watched, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "data" and f"{parts.scheme}://{parts.netloc}" != seen.origin:
        seen.faults.append(f"asked of another origin: {url}")
