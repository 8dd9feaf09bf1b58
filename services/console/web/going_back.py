"""The page that a form was on, to go back to: at the address of a form itself there may be none."""

from starlette.requests import Request
from starlette.routing import Match

from services.console.web.own_paths import next_of, path_within


def came_from(request: Request, origin: str) -> str:
    """The page of ours that a form was on, as the browser says; "/" where it does not.

    Where that was made by another form, it is the nearest page above it that can be got.
    """
    path, _, query = path_within(request.headers.get("referer", ""), origin).partition("?")
    while path != "/" and not _can_be_got(request, path):
        path, query = path.rpartition("/")[0] or "/", ""
    return next_of(path, query)


def _can_be_got(request: Request, path: str) -> bool:
    asked = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": []}
    return any(route.matches(asked)[0] is Match.FULL for route in request.app.routes)
