"""deploy/compose.yaml starts what it names, pinned, unprivileged, in order, and for this machine alone."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.chassis.addresses import parse_address
from services.chassis.refusals import Refusal
from services.chassis.settings import ProcessSettings, ServiceSettings
from services.consent.settings import ConsentSettings
from services.console.gateway.rendering import render
from services.console.gateway.values import read_values
from services.console.local_pages import MODULES, PREFIXES
from services.console.web.settings import ConsoleSettings, SettingsPageSettings
from services.directory.settings import DirectorySettings
from services.licensing.settings import LicensingSettings
from services.metering.settings import MeteringSettings
from tests.support.composition import (
    EXAMPLE,
    FILE,
    ROOT,
    VariableMissingError,
    composition,
    filled_in,
    interpolated,
    memory_folders,
    mounts,
    variables_of,
)

FILLED_IN = filled_in()
COMPOSED = composition(FILLED_IN)
SERVICES: dict[str, dict[str, Any]] = COMPOSED["services"]
SETTINGS: dict[str, type[ProcessSettings]] = {
    "consent": ConsentSettings,
    "metering": MeteringSettings,
    "licensing": LicensingSettings,
    "directory": DirectorySettings,
    "settings-page": SettingsPageSettings,
    "console": ConsoleSettings,
}
OURS = [name for name, service in SERVICES.items() if service["image"].startswith("sluice:")]
OF_OTHERS = [name for name in SERVICES if name not in OURS]
WITH_A_DATABASE = ("consent", "metering", "licensing", "directory")
MIGRATIONS = tuple(f"migrate-{name}" for name in WITH_A_DATABASE)
ONCE = ("keys", "certificates", "gateway-configuration", *MIGRATIONS)
UNASKED = {"otel-collector", "jaeger"}
"""There is no other program in these images to ask with."""
FIELDS = {
    "build", "cap_drop", "command", "depends_on", "entrypoint", "environment", "healthcheck", "hostname",
    "image", "network_mode", "ports", "profiles", "pull_policy", "read_only", "restart", "security_opt",
    "shm_size", "stop_grace_period", "stop_signal", "tmpfs", "user", "volumes", "working_dir",
}  # fmt: skip


def settings_of(name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The settings as the process in the container reads them."""
    for variable in [each for each in os.environ if each.startswith("SLUICE_")]:
        monkeypatch.delenv(variable)
    for variable, value in SERVICES[name]["environment"].items():
        monkeypatch.setenv(variable, value)
    return SETTINGS[name].from_environment()


def port_of(name: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Where a program of ours listens for calls."""
    return parse_address(settings_of(name, monkeypatch).listen)[1]


def test_it_has_the_services_that_the_documents_name() -> None:
    assert set(SERVICES) == {
        "postgres", *ONCE, "consent", "metering", "directory", "licensing", "gateway", "settings-page",
        "console", "cli", "otel-collector", "prometheus", "grafana", "jaeger",
    }  # fmt: skip


def test_every_field_is_one_of_the_compose_specification() -> None:
    assert {key for service in SERVICES.values() for key in service} <= FIELDS
    assert {key for key in COMPOSED if not key.startswith("x-")} == {
        "name",
        "services",
        "networks",
        "volumes",
    }


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_can_do_no_more_than_it_must(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.fullmatch(r"[1-9]\d*:\d+", service["user"])
    assert {"privileged", "cap_add", "devices", "pid", "ipc", "userns_mode"}.isdisjoint(service)
    assert not any("docker.sock" in source for source, _ in mounts(service).values())


@pytest.mark.parametrize("name", OURS)
def test_our_containers_are_of_the_user_that_the_image_has(name: str) -> None:
    assert SERVICES[name]["user"] == "10001:10001"
    assert SERVICES[name]["pull_policy"] == "never"


@pytest.mark.parametrize("name", OF_OTHERS)
def test_images_of_others_have_a_registry_a_version_and_room_for_a_digest(name: str) -> None:
    image = yaml.safe_load(FILE.read_text(encoding="utf-8"))["services"][name]["image"]

    read = re.fullmatch(r"docker\.io/[a-z/-]+:v?(\d+\.\d+[\w.-]*)\$\{(\w+_DIGEST):-\}", image)
    assert read is not None
    assert f"#{read[2]}=\n" in EXAMPLE.read_text(encoding="utf-8")
    digest = "@sha256:" + "0" * 64
    assert interpolated(image, {read[2]: digest}).endswith(f"{read[1]}{digest}")


@pytest.mark.parametrize("name", SERVICES)
def test_only_this_machine_reaches_what_is_published(name: str) -> None:
    published = SERVICES[name].get("ports", [])

    assert all(re.fullmatch(r"127\.0\.0\.1:(\d+):\1", each) for each in published)


def test_nothing_is_published_twice_and_each_page_where_its_address_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert published == {
        "gateway": ["127.0.0.1:7600:7600"],
        "settings-page": ["127.0.0.1:7621:7621"],
        "console": ["127.0.0.1:7620:7620"],
        "prometheus": ["127.0.0.1:9090:9090"],
        "grafana": ["127.0.0.1:3000:3000"],
        "jaeger": ["127.0.0.1:16686:16686"],
    }
    for page in ("settings-page", "console"):
        settings = settings_of(page, monkeypatch)
        assert settings.public_url == f"http://127.0.0.1:{parse_address(settings.listen)[1]}"


@pytest.mark.parametrize("name", SETTINGS)
def test_every_variable_of_ours_is_a_setting(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    prefix = SETTINGS[name].model_config["env_prefix"]
    given = set(SERVICES[name]["environment"]) - {"PGPASSWORD"}

    settings = settings_of(name, monkeypatch)

    assert all(variable.startswith(prefix) for variable in given)
    assert settings.otlp_endpoint == "http://otel-collector:4317"
    if isinstance(settings, ServiceSettings):
        assert settings.tls_files is not None
        assert settings.tls_files.certificate == Path(f"/var/lib/sluice/certs/{name}.pem")
        assert settings.announce_path == Path(f"/var/lib/sluice/run/{name}.addr")
        assert settings.database_url == f"postgresql://{name}@postgres:5432/{name}"


@pytest.mark.parametrize("name", WITH_A_DATABASE)
def test_a_service_starts_once_its_own_user_has_brought_its_database_up(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migration, service = SERVICES[f"migrate-{name}"], SERVICES[name]
    url = f"SLUICE_{name.upper()}_DATABASE_URL"

    assert settings_of(name, monkeypatch).migrate_on_start is False
    assert service["depends_on"][f"migrate-{name}"]["condition"] == "service_completed_successfully"
    assert migration["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert migration["command"] == ["sluice", "migrate", name, "--wait", "60"]
    assert migration["environment"] == {each: service["environment"][each] for each in (url, "PGPASSWORD")}
    assert migration["volumes"] == []


@pytest.mark.parametrize("name", WITH_A_DATABASE)
def test_a_service_listens_under_a_name_that_is_its_own_whatever_dns_says(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, _ = parse_address(settings_of(name, monkeypatch).listen)

    assert host == SERVICES[name]["hostname"] == name


@pytest.mark.parametrize("name", WITH_A_DATABASE)
def test_a_service_that_other_containers_reach_does_not_start_without_tls(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = settings_of(name, monkeypatch).model_copy(
        update={"tls_certificate": None, "tls_key": None, "tls_ca": None}
    )

    with pytest.raises(Refusal, match="other machines can reach") as refused:
        plain.tls_files  # noqa: B018 - it is a property that refuses

    assert refused.value.reason == "PLAINTEXT_EXPOSED"


@pytest.mark.parametrize("name", WITH_A_DATABASE)
def test_several_workers_of_a_service_can_keep_their_figures(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(name, monkeypatch)

    assert str(settings.state_dir) in memory_folders(SERVICES[name])
    if isinstance(settings, LicensingSettings):
        assert settings.keys_dir == Path("/var/lib/sluice/keys")


def test_no_other_container_has_variables_of_ours_but_migrations_and_the_command_line() -> None:
    having = {
        name
        for name, service in SERVICES.items()
        if any(variable.startswith("SLUICE_") for variable in service.get("environment", {}))
    }

    assert having == {*SETTINGS, *MIGRATIONS, "cli"}
    assert set(SERVICES["cli"]["environment"]) == {"SLUICE_CA", "SLUICE_CERT", "SLUICE_KEY"}


def test_peers_and_the_gateway_are_led_to_where_each_service_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    listening = {name: f"{name}:{port_of(name, monkeypatch)}" for name in WITH_A_DATABASE}
    values = read_values((ROOT / "deploy/compose/gateway.yaml").read_text(encoding="utf-8"), "gateway.yaml")
    console = settings_of("console", monkeypatch)
    licensing = settings_of("licensing", monkeypatch)
    page = settings_of("settings-page", monkeypatch)

    assert values.upstreams == {name: listening[name] for name in ("consent", "metering", "licensing")}
    assert console.targets() == values.upstreams
    assert licensing.consent_target == listening["consent"]
    assert licensing.metering_target == listening["metering"]
    assert licensing.directory_target == listening["directory"]
    assert page.gateway_target == f"gateway:{parse_address(values.listen)[1]}"
    assert values.origins == (page.public_url,)
    assert values.collector == "otel-collector:4317"


def test_the_gateway_finds_what_its_values_name() -> None:
    values = read_values((ROOT / "deploy/compose/gateway.yaml").read_text(encoding="utf-8"), "gateway.yaml")
    placed = mounts(SERVICES["gateway"])
    secrets = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "deploy/envoy/sds").glob("*.yaml"))

    assert values.tls is not None
    for path in (values.tls.certificate, values.tls.authorities, values.openapi, values.docs, values.jwks):
        assert any(Path(str(path)).is_relative_to(target) for target in placed)
    assert "/etc/sluice/certs/gateway.pem" in secrets
    assert placed["/etc/sluice"] == ("installation", True)
    assert list(values.limits.networks) == [COMPOSED["networks"]["default"]["ipam"]["config"][0]["subnet"]]
    assert render(values).count("172.30.84.0") > 0


@pytest.mark.parametrize("name", WITH_A_DATABASE)
def test_a_service_is_asked_how_it_is_where_it_says_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    test = SERVICES[name]["healthcheck"]["test"]

    assert test == [
        "CMD",
        "python",
        "-P",
        "-m",
        "services.chassis.probing",
        settings_of(name, monkeypatch).health_listen,
    ]


@pytest.mark.parametrize("name", PREFIXES)
def test_a_page_is_asked_how_it_is_where_it_listens(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    test = SERVICES[name]["healthcheck"]["test"]

    assert name in MODULES
    assert test[-2:] == ["services.console.answering", f"127.0.0.1:{port_of(name, monkeypatch)}"]


def test_whoever_waits_for_another_waits_until_it_is_well() -> None:
    waits = {
        (name, other): how["condition"]
        for name, service in SERVICES.items()
        for other, how in service.get("depends_on", {}).items()
    }

    assert {other for _, other in waits} <= set(SERVICES)
    for (_, other), condition in waits.items():
        if other in ONCE:
            assert condition == "service_completed_successfully"
        else:
            assert condition == "service_healthy"
            assert "healthcheck" in SERVICES[other]


def test_everything_that_runs_on_is_watched_and_started_again() -> None:
    lasting = {name for name in SERVICES if name not in ONCE} - {"cli"}

    assert {name for name in SERVICES if SERVICES[name].get("restart") == "unless-stopped"} == lasting
    assert {name for name in SERVICES if "healthcheck" in SERVICES[name]} == lasting - UNASKED


def test_what_is_mounted_is_a_volume_or_a_file_that_is_there_and_cannot_be_changed() -> None:
    mounted = [
        (name, source, read_only)
        for name, service in SERVICES.items()
        for source, read_only in mounts(service).values()
    ]
    files = {source for _, source, _ in mounted if source.startswith(".")}

    assert {source for _, source, _ in mounted} - files == set(COMPOSED["volumes"])
    assert {name for name, source, read_only in mounted if source in files and not read_only} == {"cli"}
    assert [source for source in files if not (FILE.parent / source).exists()] == []


def test_only_who_makes_keys_and_certificates_can_change_them() -> None:
    changing = {
        name for name, service in SERVICES.items() if ("installation", False) in mounts(service).values()
    }
    signing = {name for name, service in SERVICES.items() if ("authority", False) in mounts(service).values()}

    assert changing == signing == {"keys", "certificates"}
    assert {SERVICES[name]["network_mode"] for name in changing} == {"none"}


def test_folders_of_ours_are_those_that_the_image_gives_to_its_user() -> None:
    dockerfile = (ROOT / "deploy/docker/Dockerfile").read_text(encoding="utf-8")
    targets = {
        target
        for name in OURS
        for target, (source, _) in mounts(SERVICES[name]).items()
        if not source.startswith((".", "/"))
    }

    assert targets == {
        "/var/lib/sluice", "/var/lib/sluice/run", "/var/lib/sluice/certs/authority", "/var/lib/sluice-heads",
        "/var/lib/sluice-log",
    }  # fmt: skip
    assert all(f" {target}" in dockerfile for target in targets)


def test_passwords_have_no_default_and_are_in_no_file() -> None:
    example = variables_of(EXAMPLE.read_text(encoding="utf-8"))

    assert {name for name in example if name.endswith("_PASSWORD")} == set(FILLED_IN)
    assert [value for value in example.values() if value] == []
    for name in FILLED_IN:
        with pytest.raises(VariableMissingError, match=name):
            composition({**FILLED_IN, name: ""})
    assert "/deploy/compose/.env" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_a_password_reaches_the_service_as_it_is_whatever_characters_it_has() -> None:
    for name in WITH_A_DATABASE:
        assert SERVICES[name]["environment"]["PGPASSWORD"] == FILLED_IN[f"{name.upper()}_PASSWORD"]


def test_the_database_server_loses_nothing_that_it_has_confirmed() -> None:
    assert {"-cfsync=on", "-cfull_page_writes=on", "-csynchronous_commit=on"} <= set(
        SERVICES["postgres"]["command"]
    )
