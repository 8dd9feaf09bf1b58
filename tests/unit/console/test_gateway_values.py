"""Values of a gateway: read whole, refused where anything is misspelt or cannot be."""

from pathlib import Path

import pytest
import yaml

from services.chassis.refusals import Refusal
from services.console.gateway.local import content_of
from services.console.gateway.values import Values, is_literal, read_values

CLUSTER = Path(__file__).parents[3] / "deploy" / "envoy" / "cluster.yaml"
LEAST = {"upstreams": {"consent": "127.0.0.1:7601"}, "jwks": "jwks.json"}


def refusal_of(**fields: object) -> str:
    with pytest.raises(Refusal) as refused:
        read_values(yaml.safe_dump({**LEAST, **fields}), "values.yaml")
    assert refused.value.reason == "VALUES_INVALID"
    return refused.value.message


def test_the_values_of_a_cluster_that_are_shipped_can_be_read() -> None:
    values = read_values(CLUSTER.read_text(encoding="utf-8"), "cluster.yaml")

    assert values.upstreams["consent"] == "consent.sluice.svc.cluster.local:7601"
    assert values.limits.connections == 50_000
    assert values.limits.request_bytes == 4 * 1024 * 1024


def test_a_field_that_does_not_exist_is_named() -> None:
    assert "values.yaml: orgins: Extra inputs are not permitted" in refusal_of(orgins=["https://a.example"])
    assert "limits.requestbytes" in refusal_of(limits={"requestbytes": 1})


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"listen": "7600"}, "listen"),
        ({"upstreams": {"consent": "nowhere"}}, "upstreams"),
        ({"upstreams": {"Con sent": "127.0.0.1:1"}}, "upstreams"),
        ({"origins": ["*"]}, "no origin"),
        ({"origins": ["https://a.example/"]}, "no origin"),
        ({"content": {"prefix": "/", "address": "127.0.0.1:1"}}, "not content"),
        ({"content": {"prefix": "/v1/", "address": "127.0.0.1:1"}}, "not content"),
        ({"content": {"prefix": "posts", "address": "127.0.0.1:1"}}, "prefix"),
        ({"trusted_hops": -1}, "trusted_hops"),
    ],
)
def test_what_cannot_be_is_refused(fields: dict[str, object], word: str) -> None:
    assert word in refusal_of(**fields)


@pytest.mark.parametrize(
    "issuer",
    [
        {},
        {"jwks_file": "a.json", "jwks_url": "https://a.example/keys", "authorities": "ca.pem"},
        {"jwks_url": "http://a.example/keys", "authorities": "ca.pem"},
        {"jwks_url": "https://a.example/keys"},
    ],
)
def test_an_issuer_has_one_source_of_keys_that_nobody_else_can_change(issuer: dict[str, object]) -> None:
    whole = {"name": "platform", "issuer": "https://a.example", "audiences": ["sluice"], **issuer}

    assert "issuers" in refusal_of(issuers=[whole])


def test_no_two_issuers_have_one_name() -> None:
    whole = {"issuer": "https://a.example", "audiences": ["sluice"], "jwks_file": "a.json"}

    assert "a name of its own" in refusal_of(issuers=[{"name": "sluice", **whole}])
    assert "a name of its own" in refusal_of(issuers=[{"name": "a", **whole}, {"name": "a", **whole}])


def test_what_is_no_yaml_is_refused() -> None:
    with pytest.raises(Refusal, match=r"values\.yaml is no YAML"):
        read_values("{", "values.yaml")


def test_an_address_is_told_from_a_name() -> None:
    assert [is_literal(each) for each in ("127.0.0.1:1", "[::1]:1", "consent:1")] == [True, True, False]


def test_a_url_of_content_is_a_prefix_at_an_address() -> None:
    content = content_of("http://127.0.0.1:9000/posts/")

    assert (content.prefix, content.address) == ("/posts/", "127.0.0.1:9000")
    for url in (
        "http://127.0.0.1:9000",
        "https://127.0.0.1:9000/posts/",
        "127.0.0.1:9000/posts/",
        "http://h:1/v1/",
    ):
        with pytest.raises(Refusal, match="CONTENT_MALFORMED"):
            content_of(url)


def test_values_are_the_same_whatever_order_they_are_written_in() -> None:
    assert Values.model_validate(LEAST) == Values.model_validate(dict(reversed(LEAST.items())))
