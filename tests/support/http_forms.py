"""A message of a contract as the call in JSON that its google.api.http makes of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.api import annotations_pb2
from google.protobuf.descriptor_pool import Default
from google.protobuf.message import Message

from tests.support.matrix.paths import placed


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
    verb, path, said = placed(http, request)
    return HttpForm(verb, path, {} if http.body else said, said if http.body else None)
