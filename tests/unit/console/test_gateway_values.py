"""Values of a gateway: read whole, refused where anything is misspelt or cannot be."""

import asyncio
from pathlib import Path

import pytest
import yaml

from services.chassis.issuers import IssuerEntry
from services.chassis.refusals import Refusal
from services.console.gateway.local import Asked, content_of, issuer_of
from services.console.gateway.program import GatewayProgram
from services.console.gateway.values import Values, is_literal, read_values
from services.console.installation import StateFolder
from tests.support.envoy import some_values
from tests.support.waiting import PATIENCE_SECONDS

CLUSTER = Path(__file__).parents[3] / "deploy" / "envoy" / "cluster.yaml"
LEAST = {"upstreams": {"consent": "127.0.0.1:7601"}, "jwks": "jwks.json"}


def refusal_of(**fields: object) -> str:
    with pytest.raises(Refusal) as refused:
        read_values(yaml.safe_dump({**LEAST, **fields}), "values.yaml")
    assert refused.value.reason == "VALUES_INVALID"
    return refused.value.message


def test_the_values_of_a_cluster_that_are_shipped_can_be_read() -> None:
    values = read_values(CLUSTER.read_text(encoding="utf-8"), "cluster.yaml")

    assert values.upstreams["consent"] == "consent-pods.sluice.svc.cluster.local:7601"
    assert values.limits.connections == 50_000
    assert values.limits.request_bytes == 4 * 1024 * 1024
    assert values.limits.networks == {"10.4.0.0/24": 5_000}


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
        ({"stats_listen": "0.0.0.0:7699"}, "stats_listen needs an admin_socket"),
        ({"stats_listen": "7699", "admin_socket": "gateway.admin"}, "stats_listen"),
        ({"limits": {"networks": {"10.4.0.0/16": 5}}}, "no network that is counted"),
        ({"limits": {"networks": {"10.4.0.7/24": 5}}}, "limits.networks"),
        ({"limits": {"networks": {"2001:DB8:7::/48": 5}}}, "no network that is counted"),
        ({"limits": {"networks": {"10.4.0.0/24": 0}}}, "limits.networks.10.4.0.0/24"),
        ({"limits": {"caller_calls_a_second": 0}}, "caller_calls_a_second"),
        ({"limits": {"exports_an_hour": 3_601}}, "exports_an_hour"),
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
        {"jwks_url": "http://127.0.0.1/keys"},
        {"jwks_url": "http://127.0.0.1:8080/keys", "authorities": "ca.pem"},
    ],
)
def test_an_issuer_has_one_source_of_keys_that_nobody_else_can_change(issuer: dict[str, object]) -> None:
    whole = {"name": "platform", "issuer": "https://a.example", "audiences": ["sluice"], **issuer}

    assert "issuers" in refusal_of(issuers=[whole])


def test_an_issuer_that_the_services_believe_is_the_same_to_the_gateway() -> None:
    said = {"name": "1-users", "issuer": "https://a.example", "audience": "us", "subject_claim": "uid"}

    here = issuer_of(IssuerEntry.model_validate({**said, "jwks_url": "http://127.0.0.1:8080/keys"}))
    far = issuer_of(IssuerEntry.model_validate({**said, "jwks_url": "https://a.example/keys"}))
    on_file = issuer_of(IssuerEntry.model_validate({**said, "jwks_file": "keys.json"}))

    assert (here.name, here.issuer, here.audiences) == ("1-users", "https://a.example", ("us",))
    assert here.subject_claim == "uid"
    assert (here.jwks_url, here.authorities) == ("http://127.0.0.1:8080/keys", None)
    assert far.authorities is not None
    assert (on_file.jwks_url, on_file.jwks_file) == (None, Path.cwd() / "keys.json")


async def test_a_gateway_is_outdated_when_the_keys_of_an_issuer_are_others(tmp_path: Path) -> None:
    keys, state = tmp_path / "keys.json", StateFolder(tmp_path / "state")
    keys.write_text('{"keys": []}')
    state.prepare()
    issuer = {"name": "users", "issuer": "https://a.example", "audiences": ["us"], "jwks_file": keys}
    values = some_values(tmp_path, issuers=[issuer])
    program = GatewayProgram(state, lambda: values, values.listen, frozenset())
    program.command()

    keys.unlink()
    waiting = asyncio.create_task(program.outdated())
    await asyncio.sleep(0)
    is_missing_no_reason = not waiting.done()
    keys.write_text('{"keys": [{}]}')

    assert is_missing_no_reason
    await asyncio.wait_for(waiting, PATIENCE_SECONDS)


def test_no_two_issuers_have_one_name() -> None:
    whole = {"issuer": "https://a.example", "audiences": ["sluice"], "jwks_file": "a.json"}

    assert "a name of its own" in refusal_of(issuers=[{"name": "sluice", **whole}])
    assert "a name of its own" in refusal_of(issuers=[{"name": "a", **whole}, {"name": "a", **whole}])


def test_a_local_gateway_has_room_for_all_users_of_a_settings_page_before_it(tmp_path: Path) -> None:
    alone, paged = (
        some_values(tmp_path, limits=Asked(has_settings_page=has_one).limits).limits.networks
        for has_one in (False, True)
    )

    assert (alone, paged) == ({}, {"127.0.0.0/24": 5_000})


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
