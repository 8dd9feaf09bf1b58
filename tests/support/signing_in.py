"""Coming into a page by a link, over HTTP, as a browser would."""

import re

import httpx

SECONDS = 30.0


def come_in(link: str) -> httpx.Client:
    """Somebody who has followed the link and pressed its button; fails where they were not let in."""
    visitor, page = _pressed(link)
    assert page.status_code == 200, page.text
    return visitor


def page_after(link: str) -> httpx.Response:
    """The page that somebody sees then, whether they were let in or not."""
    return _pressed(link)[1]


def _pressed(link: str) -> tuple[httpx.Client, httpx.Response]:
    parts = httpx.URL(link)
    origin = f"{parts.scheme}://{parts.netloc.decode()}"
    visitor = httpx.Client(base_url=origin, follow_redirects=True, timeout=SECONDS)
    [code] = re.findall(r'name="code" value="([^"]+)"', visitor.get(link).text)
    headers = {"origin": origin, "sec-fetch-site": "same-origin"}
    return visitor, visitor.post("/sign-in/link", data={"code": code}, headers=headers)
