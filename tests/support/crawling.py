"""Every page that a visitor can come to by links, and what in its HTML a policy of content would forbid."""

from collections import deque
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from urllib.parse import urlsplit

from tests.support.pages import Seen, Visitor

MOST_PAGES = 80
_LOADING = {
    "script": "src",
    "link": "href",
    "img": "src",
    "iframe": "src",
    "object": "data",
    "form": "action",
}


class Markup(HTMLParser):
    """The faults of one page, and where its links lead."""

    def __init__(self, page: Seen) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.feed(page.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "style" or (tag == "script" and "src" not in given):
            self.faults.append(f"<{tag}> in the page itself")
        self.faults += [f"{name} of <{tag}>" for name in given if name == "style" or name.startswith("on")]
        self.faults += [f"{each} leads elsewhere" for each in self._loaded(tag, given) if not _is_own(each)]
        if (name := given.get("id")) is not None:
            if name in self.ids:
                self.faults.append(f"two elements have the id {name}")
            self.ids.add(name)
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
            if urlsplit(given["href"]).scheme not in {"", "http", "https"}:
                self.faults.append(f"a link to {given['href']}")

    def _loaded(self, tag: str, given: dict[str, str]) -> list[str]:
        name = _LOADING.get(tag)
        return [given[name]] if name is not None and given.get(name) else []


def _is_own(address: str) -> bool:
    parts = urlsplit(address)
    return (parts.scheme == "data" and address == "data:,") or not (parts.scheme or parts.netloc)


async def pages_from(visitor: Visitor, first: Seen) -> AsyncIterator[Seen]:
    """Each page once, the first first; one path with other queries is one page."""
    known, waiting = {urlsplit(first.url).path}, deque([first])
    while waiting and len(known) <= MOST_PAGES:
        page = waiting.popleft()
        yield page
        for link in Markup(page).links:
            path = urlsplit(link).path
            if not _is_own(link) or not path or path in known or path == "/language":
                continue
            known.add(path)
            found = await visitor.get(link)
            if found.headers.get("content-type", "").startswith("text/html"):
                waiting.append(found)
