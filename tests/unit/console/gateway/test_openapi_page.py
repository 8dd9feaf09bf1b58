"""The page is whole: each link leads somewhere, nothing is asked of anybody, and what it shows can be run."""

import json
import shlex
from html.parser import HTMLParser
from typing import Any

import pytest

from services.console.gateway.openapi.document import openapi
from services.console.gateway.openapi.page import curl, marked_up, operations, page, rows
from tests.support.contract_images import the_contracts

WITHOUT_END = {"meta", "br"}


class Reader(HTMLParser):
    """What is in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag not in WITHOUT_END:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi(the_contracts())


@pytest.fixture(scope="module")
def text(document: dict[str, Any]) -> str:
    return page(document)


def test_each_link_leads_to_a_place_in_the_page_or_to_the_document(text: str) -> None:
    reader = Reader(text)

    assert len(reader.ids) == len(set(reader.ids))
    assert {link for link in reader.links if not link.startswith("#")} == {"/openapi.json"}
    assert {link.removeprefix("#") for link in reader.links} - {"/openapi.json"} <= set(reader.ids)


def test_it_asks_nobody_for_anything_and_runs_nothing(text: str) -> None:
    reader = Reader(text)

    assert reader.tags.isdisjoint({"script", "link", "img", "iframe", "form"})
    assert reader.attributes.isdisjoint({"src", "onclick", "style"})
    assert "url(" not in text
    assert "@import" not in text


def test_every_operation_has_its_place_and_its_command(text: str, document: dict[str, Any]) -> None:
    ids = Reader(text).ids
    for verbs in document["paths"].values():
        for operation in verbs.values():
            assert operation["operationId"] in ids
    assert text.count("curl &#34;$SLUICE/") == 1 + sum(len(verbs) for verbs in document["paths"].values())


def test_a_command_says_path_query_token_and_body(document: dict[str, Any]) -> None:
    reads = curl("get", "/v1/usage", document["paths"]["/v1/usage"]["get"])
    path = "/v1/subjects/{choice.subjectId}/choices"
    command = curl("post", path, document["paths"][path]["post"])
    # A shell joins lines that end in a backslash; shlex does not.
    writes = shlex.split(command.replace("\\\n", ""))

    stretch = "since=2026-11-01T00%3A00%3A00Z&until=2026-11-26T12%3A00%3A00Z"
    assert reads == (
        f'curl "$SLUICE/v1/usage?of.partyId=acme&{stretch}" \\\n  -H "authorization: Bearer $TOKEN"'
    )
    assert writes[:4] == ["curl", "$SLUICE/v1/subjects/1001/choices", "-H", "authorization: Bearer $TOKEN"]
    assert json.loads(writes[-1])["choice"] == {
        "stance": "STANCE_DENY",
        "everyone": True,
        "allPurposes": True,
    }


def test_a_view_lists_what_its_callers_may_call(document: dict[str, Any]) -> None:
    for_subjects = {operation["operationId"] for *_, operation in operations(document, "for subjects")}

    assert "ConsentService_RecordChoice" in for_subjects
    assert "RecallService_ListRecalls" not in for_subjects


def test_a_field_is_shown_with_its_kind_and_its_rules() -> None:
    schema = {
        "required": ["sizes"],
        "properties": {
            "sizes": {
                "type": "array",
                "items": {"type": "integer", "format": "int32", "minimum": 1},
                "maxItems": 3,
                "description": "Sizes.",
            },
            "thing": {"$ref": "#/components/schemas/sluice.trial.v1.Thing", "description": "It."},
        },
    }

    sizes, thing = rows(schema)

    assert (sizes.kind.words, sizes.rules, sizes.is_required) == (
        "list of integer",
        "at most 3 elements, at least 1",
        True,
    )
    assert (thing.kind.name, thing.kind.short, thing.is_required) == ("sluice.trial.v1.Thing", "Thing", False)


def test_what_a_comment_says_stays_text() -> None:
    assert str(marked_up("a <b> & `c`\n\n- **d**\n- e")) == (
        "<p>a &lt;b&gt; &amp; <code>c</code></p><ul><li><strong>d</strong></li><li>e</li></ul>"
    )
