"""The logs of what operators did, in the words of people."""

import json
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.console import moments
from services.console.action_log import Filter
from services.console.installation import SERVICES
from services.console.moments import from_us
from services.console.operations.action_pages import action_page
from services.console.operations.decision_wishes import NO_TIME
from services.console.operations.words_actions import METHODS, OUTCOMES, method_word
from services.console.web.asking import together
from services.console.web.page import SignedIn, page_of, shown
from services.console.web.words import word

router = APIRouter()
TABLES: dict[str, Any] = {
    "word": word,
    "method_word": method_word,
    "METHODS": METHODS,
    "OUTCOMES": OUTCOMES,
    "from_us": from_us,
}
"""What the template says numbers with."""
Text = Annotated[str, Query(max_length=200)]
PageToken = Annotated[str, Query(max_length=500)]


@router.get("/actions")
async def actions(
    request: Request,
    session: SignedIn,
    operator: Annotated[str, Query(max_length=128)] = "",
    method: Text = "",
    since: Annotated[str, Query(max_length=60)] = "",
) -> Response:
    """The newest actions in each service, each with pages of its own."""
    wish, fault = read_filter(operator, method, since)
    given = {"operator": operator, "method": method, "since": since}
    tokens = {name: request.query_params.get(name, "")[:500] for name in SERVICES}
    told: dict[str, Any] = {"given": given, "tokens": tokens, "fault": fault, **TABLES}
    if wish is None:
        return shown(request, "actions.html", 400, logs={}, addresses={}, said=said, **told)
    services = page_of(request).services
    logs = await together(
        **{name: action_page(services.peer(name), name, wish, tokens[name]) for name in SERVICES}
    )
    places = {name: addresses(given, tokens, name, log.next_page_token) for name, log in logs.items() if log}
    return shown(request, "actions.html", logs=logs, addresses=places, said=said, **told)


def read_filter(operator: str, method: str, since: str) -> tuple[Filter | None, str]:
    """Which actions an address wants; none, and why not, where it names no time that there is."""
    try:
        from_then = moments.read(since.strip()) if since.strip() else None
    except ValueError:
        return None, NO_TIME
    # As gRPC writes it, with a slash before it, it is the same call.
    return Filter(operator.strip(), method.strip().removeprefix("/"), from_then), ""


def addresses(given: Mapping[str, str], tokens: Mapping[str, str], name: str, next: str) -> tuple[str, str]:
    """Of the first page and of the next one of a service, "" where there is none; others stay as they are."""
    found = []
    for token, is_there in (("", tokens[name]), (next, next)):
        asked = {**given, **tokens, name: token}
        query = urlencode({key: value for key, value in asked.items() if value})
        found.append(f"/actions?{query}#{name}" if is_there else "")
    return found[0], found[1]


def said(request: str) -> str:
    """What a request said, to be read."""
    return json.dumps(json.loads(request), indent=2, ensure_ascii=False)
