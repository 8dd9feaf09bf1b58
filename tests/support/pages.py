"""A visitor of our pages: follows redirects, keeps cookies, fills in forms, and runs no scripts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from typing import Self

import httpx
from starlette.types import ASGIApp

ORIGIN = "http://settings.test"


@dataclass
class PageForm:
    """A form of a page."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    """What it sends if nothing is filled in and no button is pressed."""
    buttons: list[tuple[str, str, str]] = field(default_factory=list)
    """Name, value and text of each."""


class _Reading(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self.text: list[str] = []
        self._open: PageForm | None = None
        self._button: tuple[str, str] | None = None
        self._inside = ""
        self._choosing = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in {"script", "style"}:
            self._inside = tag
        if tag == "form":
            self._open = PageForm(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._open)
        if self._open is None or "disabled" in given:
            return
        name, value = given.get("name", ""), given.get("value", "")
        if tag == "input" and name:
            tickable = given.get("type") in {"checkbox", "radio"}
            if not tickable or "checked" in given:
                self._open.fields[name] = value or ("on" if tickable else "")
        elif tag == "textarea":
            self._open.fields[name] = ""
        elif tag == "select":
            self._choosing = name
        elif tag == "option" and ("selected" in given or self._choosing not in self._open.fields):
            self._open.fields[self._choosing] = value
        elif tag == "button":
            self._button = (name, value)
            self._open.buttons.append((name, value, ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        if tag == self._inside:
            self._inside = ""
        if tag == "button":
            self._button = None

    def handle_data(self, data: str) -> None:
        if self._inside:
            return
        if said := " ".join(data.split()):
            self.text.append(said)
            if self._button is not None and self._open is not None:
                name, value, text = self._open.buttons[-1]
                self._open.buttons[-1] = (name, value, f"{text} {said}".strip())


@dataclass(frozen=True)
class Seen:
    """A page as it came."""

    status: int
    url: str
    html: str
    text: str
    """What a reader reads, as one line."""
    forms: tuple[PageForm, ...]
    headers: httpx.Headers

    def form(self, button: str) -> PageForm:
        """The form with a button of this text; raises LookupError."""
        for each in self.forms:
            if any(button in text for _, _, text in each.buttons):
                return each
        raise LookupError(f"no form has a button {button!r}; there are {[f.buttons for f in self.forms]}")


class Visitor:
    """Somebody with a browser; an async context manager."""

    def __init__(self, app: ASGIApp, origin: str = ORIGIN, language: str = "en-GB") -> None:
        self.origin = origin
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        headers = {"accept-language": language}
        self.http = httpx.AsyncClient(
            transport=transport, base_url=origin, headers=headers, follow_redirects=True
        )

    async def get(self, path: str) -> Seen:
        """Follows a link."""
        return _seen(await self.http.get(path, headers={"sec-fetch-site": "same-origin"}))

    async def press(self, page: Seen, button: str, filled: Mapping[str, str] | None = None) -> Seen:
        """Fills in the form with this button, and presses it."""
        form = page.form(button)
        name, value, _ = next(each for each in form.buttons if button in each[2])
        sent = {**form.fields, **(filled or {}), **({name: value} if name else {})}
        return await self.send(form, sent)

    async def send(self, form: PageForm, sent: Mapping[str, str]) -> Seen:
        """Sends exactly this, as the page of the form would."""
        headers = {"sec-fetch-site": "same-origin", "origin": self.origin}
        if form.method == "get":
            return _seen(await self.http.get(form.action, params=dict(sent), headers=headers))
        return _seen(await self.http.post(form.action, data=dict(sent), headers=headers))

    async def sign_in(self, code: str) -> Seen:
        """Comes in by a link."""
        return await self.press(await self.get(f"/sign-in/link?code={code}"), "Sign in")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.http.aclose()


def _seen(response: httpx.Response) -> Seen:
    reading = _Reading()
    if response.headers.get("content-type", "").startswith("text/html"):
        reading.feed(response.text)
    text = " ".join(reading.text)
    return Seen(
        response.status_code, str(response.url), response.text, text, tuple(reading.forms), response.headers
    )
