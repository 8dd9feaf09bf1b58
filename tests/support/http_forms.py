"""A message of a contract as the call in JSON that its google.api.http makes of it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.api import annotations_pb2
from google.protobuf import json_format
from google.protobuf.descriptor_pool import Default
from google.protobuf.message import Message

_VARIABLE = re.compile(r"\{([a-z_.]+)(?:=[^}]*)?\}")


@dataclass(frozen=True)
class HttpForm:
    """Method, path, query and body."""

    verb: str
    path: str
    query: Mapping[str, Any]
    body: Mapping[str, Any] | None
    """None where all that is not in the path is in the query."""

    def content(self, more: Mapping[str, Any]) -> bytes | None:
        """The body with further fields."""
        return None if self.body is None else json.dumps({**self.body, **more}).encode()


def http_form(rpc: str, request: Message) -> HttpForm:
    """The form of `rpc`, "/package.Service/Method"; what the path names is nowhere else."""
    service, _, name = rpc[1:].rpartition("/")
    rule = Default().FindServiceByName(service).methods_by_name[name].GetOptions()
    http = rule.Extensions[annotations_pb2.http]
    verb = next(each for each in ("get", "post", "put", "patch", "delete") if getattr(http, each))
    said = json_format.MessageToDict(request)
    path = _VARIABLE.sub(lambda found: _taken(said, found[1]), getattr(http, verb))
    return HttpForm(verb.upper(), path, {} if http.body else said, said if http.body else None)


def _taken(said: dict[str, Any], variable: str) -> str:
    """Takes a field out, and gives its text."""
    *parents, last = (_camel(part) for part in variable.split("."))
    for parent in parents:
        said = said[parent]
    return str(said.pop(last))


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.title() for word in others)
