"""The document as a page to read: one file of HTML without scripts, which asks nobody for anything.

All of it is made from the document, so that the two cannot say different things.
"""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from services.console.gateway.openapi.callers import OUTSIDE
from services.console.gateway.openapi.operations import REFUSALS, view
from services.console.gateway.openapi.rules import Json
from services.console.gateway.openapi.schemas import WELL_KNOWN

_TEMPLATE = "page.html.j2"
_REFERENCE = "#/components/schemas/"
_RULES = {
    "pattern": "matches {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "minItems": "at least {} elements",
    "maxItems": "at most {} elements",
    "const": "always {}",
}
"""Keywords that a reader is told of, in words."""
_DURATION = WELL_KNOWN["google.protobuf.Duration"]["pattern"]
_NUMBERS = {"at least 0", f"at most {2**32 - 1}", "matches ^[0-9]+$", "matches ^-?[0-9]+$"}
_OF_TYPES = {*_NUMBERS, f"matches {_DURATION}"}
"""Rules that every value of a type keeps: they say nothing of one field."""
_FORMS = {
    "date-time": "time",
    "int64": "integer in a string",
    "uint64": "natural number in a string",
    "int32": "integer",
    "uint32": "natural number",
    "uuid": "UUID",
}


@dataclass(frozen=True)
class Kind:
    """What a value is, in words, with a link where it is a message or an enum."""

    words: str
    name: str = ""
    """Full name of the message or enum."""

    @property
    def short(self) -> str:
        """Its name without the package."""
        return self.name.rpartition(".")[2]


@dataclass(frozen=True)
class Row:
    """A parameter or a field."""

    name: str
    kind: Kind
    is_required: bool
    description: str
    rules: str
    within: list["Row"]
    """The fields of a message that stands in its place."""


def page(document: Json) -> str:
    """The page of an OpenAPI document as `openapi` makes it."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"marked_up": marked_up, "pretty": pretty}
    environment.globals |= {
        "rows": rows,
        "parameters": parameters,
        "operations": operations,
        "curl": curl,
        "refusals": REFUSALS,
        "name_of": lambda schema: kind_of(schema).name,
    }
    names = {view(kind) for kind in OUTSIDE.values()}
    views = [tag for tag in document["tags"] if tag["name"] in names]
    services = [tag for tag in document["tags"] if tag["name"] not in names]
    return environment.get_template(_TEMPLATE).render(document=document, views=views, services=services)


def operations(document: Json, tag: str) -> Iterator[tuple[str, str, Json]]:
    """Verb, path and operation of all that has a tag, in the order of the document."""
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            if tag in operation["tags"]:
                yield verb, path, operation


def rows(schema: Json) -> list[Row]:
    """The fields of a message."""
    required, choices = schema.get("required", []), _choices(schema)
    return [
        _row(name, field, name in required, choices.get(name, ""))
        for name, field in schema.get("properties", {}).items()
    ]


def _choices(schema: Json) -> dict[str, str]:
    """Of each field of a oneof, in words, that it is one of them."""
    words: dict[str, str] = {}
    for choice in schema.get("allOf", []):
        names = [each["required"][0] for each in choice["oneOf"] if "required" in each]
        manner = "exactly" if len(names) == len(choice["oneOf"]) else "at most"
        words |= dict.fromkeys(names, f"{manner} one of {', '.join(names)}")
    return words


def parameters(operation: Json) -> list[Row]:
    """The parameters of an operation; the place of each stands with its rules."""
    return [
        _row(
            each["name"],
            each["schema"] | {"description": each["description"]},
            each["required"],
            f"in the {each['in']}",
        )
        for each in operation["parameters"]
    ]


def _row(name: str, schema: Json, is_required: bool, first_rule: str) -> Row:
    rules = [first_rule] if first_rule else []
    for holder in (schema, schema.get("items", {})):
        rules += [words.format(_said(holder[rule])) for rule, words in _RULES.items() if rule in holder]
        rules += [f"not {', '.join(holder['not']['enum'])}"] if "not" in holder else []
        rules += [f"one of {', '.join(holder['enum'])}"] if "enum" in holder else []
    told = ", ".join(rule for rule in rules if rule not in _OF_TYPES)
    return Row(name, kind_of(schema), is_required, schema["description"], told, rows(schema))


def _said(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def kind_of(schema: Json) -> Kind:
    """What a value of a schema is."""
    if "$ref" in schema:
        return Kind("", schema["$ref"].removeprefix(_REFERENCE))
    if schema.get("type") == "array":
        inner = kind_of(schema["items"])
        return Kind(f"list of {inner.words}".strip(), inner.name)
    if schema.get("contentEncoding") == "base64":
        return Kind("base64")
    if schema.get("pattern") == _DURATION:
        return Kind("duration")
    named = schema["type"] if isinstance(schema["type"], str) else schema["type"][0]
    return Kind(_FORMS.get(schema.get("format", ""), named))


def curl(verb: str, path: str, operation: Json) -> str:
    """The call as a command; `$SLUICE` is the address of the gateway, `$TOKEN` the caller's token."""
    told = {each["name"]: each["example"] for each in operation["parameters"] if "example" in each}
    in_path = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
    filled = re.sub(r"\{([^}]+)\}", lambda found: quote(str(told[found[1]]), safe=""), path)
    query = urlencode([(name, value) for name, value in told.items() if name not in in_path], doseq=True)
    lines = [f'curl "$SLUICE{filled}{f"?{query}" if query else ""}"']
    if "security" not in operation:
        lines.append('-H "authorization: Bearer $TOKEN"')
    if verb != "get":
        lines.append("-H 'content-type: application/json'")
        lines.append(f"-d {shlex.quote(json.dumps(body_of(operation)))}")
    return " \\\n  ".join(lines)


def body_of(operation: Json) -> Json:
    """The example of the body of a write."""
    example: Json = operation["requestBody"]["content"]["application/json"]["example"]
    return example


def pretty(value: Any) -> str:
    """JSON for people."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def marked_up(text: str) -> Markup:
    """Paragraphs and lists of comments, with `code` and **what is strong**."""
    parts = re.split(r"\n\n", str(text).strip())
    return Markup("").join(_part(part) for part in parts)  # every part is escaped


def _part(part: str) -> Markup:
    lines = [line.removeprefix("- ") for line in part.split("\n")]
    if part.startswith("- "):
        items = Markup("").join(Markup("<li>{}</li>").format(_inline(line)) for line in lines)
        return Markup("<ul>{}</ul>").format(items)
    return Markup("<p>{}</p>").format(_inline(" ".join(lines)))


def _inline(text: str) -> Markup:
    safe = str(escape(text))
    safe = re.sub(r"`([^`]+)`", r"<code>\1</code>", safe)
    return Markup(re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", safe))  # noqa: S704  # escaped above
