"""Fills in the template of the gateway's Envoy: the same contracts and values give the same text.

Every value is written as JSON, so that none can become structure.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from markupsafe import Markup

from services.chassis.addresses import parse_address
from services.chassis.refusals import invalid
from services.console.gateway import failures
from services.console.gateway.descriptors import descriptor_set
from services.console.gateway.files import FOLDERS
from services.console.gateway.routes import contracts, routes, services
from services.console.gateway.values import Values, addresses, is_literal

if TYPE_CHECKING:
    import jinja2

TEMPLATE = "envoy.yaml.j2"
ALONE = ("consent",)
"""Services whose routes need no other one: users can choose while licensing and metering are down."""
EXPORT = "/sluice.consent.v1.SubjectService/ExportSubject"
REQUIRED = ("licensing", "metering")
"""Licensing says who may call, metering how often."""
HTTPS_PORT = 443


def render(values: Values) -> str:
    """The configuration of Envoy as YAML.

    Raises Refusal (invalid, UPSTREAM_MISSING) where a service that the gateway leads to has no address.
    """
    files = contracts()
    led = routes(files)
    needed = {*REQUIRED, *(route.upstream for route in led)}
    if missing := sorted(needed - set(values.upstreams)):
        raise invalid("UPSTREAM_MISSING", f"upstreams names no address of {', '.join(missing)}")
    return (
        _environment()
        .get_template(TEMPLATE)
        .render(
            v=values,
            routes=led,
            services=services(led),
            descriptors=base64.b64encode(descriptor_set(files)).decode(),
            alone=ALONE,
            export=EXPORT,
            failures=failures,
            pages=_pages(values),
        )
    )


def _environment() -> jinja2.Environment:
    # Inside: every `sluice up` can render, few do.
    import jinja2  # noqa: PLC0415

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDERS),
        undefined=jinja2.StrictUndefined,
        # What a macro gives is Markup, and stands as it is.
        autoescape=True,
        finalize=_as_json,
        keep_trailing_newline=True,
    )
    environment.globals |= {
        "host": lambda address: parse_address(address)[0],
        "port": lambda address: parse_address(address)[1],
        "addresses": addresses,
        "origin": _origin,
    }
    environment.tests["literal"] = is_literal
    return environment


def _as_json(value: Any) -> Markup:
    return value if isinstance(value, Markup) else Markup(json.dumps(value))  # noqa: S704 - no HTML


def _pages(values: Values) -> list[tuple[str, Path, str]]:
    """Path, file and media type of what the gateway shows by itself."""
    pages = [("/openapi.json", values.openapi, "application/json"), ("/docs", values.docs, "text/html")]
    return [(path, file, f"{media}; charset=utf-8") for path, file, media in pages if file is not None]


def _origin(url: str) -> str:
    """host:port of a URL."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or HTTPS_PORT}"
