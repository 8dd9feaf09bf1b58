"""What containers are told is what the programs understand, and what they are pointed at is there."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from services.chassis.addresses import parse_address
from services.chassis.settings import HeadKeepingSettings, ProcessSettings, ServiceSettings
from services.consent.settings import ConsentSettings
from services.console.web.settings import ConsoleSettings, PageSettings, SettingsPageSettings
from services.licensing.settings import LicensingSettings
from services.metering.settings import MeteringSettings
from tests.support.by_hand import documented
from tests.support.manifests import OVERLAYS, Manifests, Object, Workload, manifests

PROGRAMS: dict[str, type[ProcessSettings]] = {
    "consent": ConsentSettings,
    "metering": MeteringSettings,
    "licensing": LicensingSettings,
    "settings-page": SettingsPageSettings,
    "console": ConsoleSettings,
}
SERVICES = ("consent", "metering", "licensing")
SECRETS = {"uri": "postgresql://consent:secret@consent-db-rw.sluice:5432/consent"}
"""What is in Secrets, by key: the URL as CloudNativePG writes it."""
WRITTEN = {"state_dir", "head_dir", "log_dir"}
OF_CERT_MANAGER = {"tls.crt", "tls.key", "ca.crt"}
OF_CLUSTER = {"-app": {"uri", "username", "password"}, "-ca": {"ca.crt"}}
"""Keys of the Secrets that CloudNativePG makes beside a Cluster, by what their names end with."""


def environment(container: Object) -> dict[str, str]:
    """What its process is told, secrets as they would be."""
    return {
        each["name"]: each["value"] if "value" in each else SECRETS[each["valueFrom"]["secretKeyRef"]["key"]]
        for each in container["env"]
    }


def settings_of(
    given: Manifests, name: str, monkeypatch: pytest.MonkeyPatch, program: type[ProcessSettings] | None = None
) -> Any:
    """As the process reads them."""
    for variable, value in environment(given.workload(name).containers[0]).items():
        monkeypatch.setenv(variable, value)
    return (program or PROGRAMS[name]).from_environment()


def mounts(container: Object) -> dict[PurePosixPath, Object]:
    return {PurePosixPath(each["mountPath"]): each for each in container["volumeMounts"]}


def paths(settings: ProcessSettings) -> Iterator[tuple[str, PurePosixPath]]:
    """The files and folders that were named to it."""
    for name in settings.model_fields_set:
        value = getattr(settings, name)
        if isinstance(value, Path):
            yield name, PurePosixPath(value)


def provided(given: Manifests) -> dict[tuple[str, str], set[str]]:
    """The keys of every Secret and ConfigMap that will be there, by kind and name."""
    found = {("ConfigMap", each["metadata"]["name"]): set(each["data"]) for each in given.of("ConfigMap")}
    for each in given.of("Certificate"):
        found["Secret", each["spec"]["secretName"]] = OF_CERT_MANAGER
    for each in given.of("Cluster"):
        for ending, keys in OF_CLUSTER.items():
            found["Secret", each["metadata"]["name"] + ending] = keys
    return {**documented(), **found}


def missing(given: Manifests) -> Iterator[str]:
    """What pods refer to that nobody makes."""
    there = provided(given)
    claims = {each["metadata"]["name"] for each in given.of("PersistentVolumeClaim")}
    for work in given.workloads():
        for reference in _references(work):
            kind, name, keys = reference
            if (kind, name) not in there:
                yield f"{work.name}: {kind} {name}"
            elif keys - there[kind, name]:
                yield f"{work.name}: {', '.join(sorted(keys - there[kind, name]))} of {kind} {name}"
        for volume in work.pod.get("volumes", ()):
            claim = volume.get("persistentVolumeClaim", {}).get("claimName")
            if claim is not None and claim not in claims:
                yield f"{work.name}: PersistentVolumeClaim {claim}"


def _references(work: Workload) -> Iterator[tuple[str, str, set[str]]]:
    for volume in work.pod.get("volumes", ()):
        if "secret" in volume:
            items = {each["key"] for each in volume["secret"].get("items", ())}
            yield "Secret", volume["secret"]["secretName"], items
        if "configMap" in volume:
            yield "ConfigMap", volume["configMap"]["name"], set()
    for container in work.every_container:
        for each in container.get("env", ()):
            if "valueFrom" in each:
                reference = each["valueFrom"]["secretKeyRef"]
                yield "Secret", reference["name"], {reference["key"]}


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_understands_what_it_is_told(
    overlay: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = manifests(overlay)

    settings = settings_of(given, name, monkeypatch)

    assert settings.otlp_endpoint == "http://otel-collector:4317"
    assert settings.state_dir == Path("/var/lib/sluice")
    if isinstance(settings, PageSettings):
        assert settings.origin(settings.listen).startswith(
            "https://" if overlay == "production" else "http://"
        )


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_page_offers_records_that_name_the_controller_only_where_consent_knows_one(
    overlay: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = manifests(overlay)

    page = settings_of(given, "settings-page", monkeypatch)
    consent = settings_of(given, "consent", monkeypatch)

    assert page.standard_forms is (consent.controller() is not None)


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("name", SERVICES)
def test_a_service_speaks_tls_keeps_its_head_and_changes_no_schema(
    overlay: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(manifests(overlay), name, monkeypatch)

    assert isinstance(settings, HeadKeepingSettings)
    assert settings.tls_files is not None
    assert settings.head_folder == Path("/var/lib/sluice-heads")
    assert settings.max_connection_age == 300
    assert settings.migrate_on_start is False
    assert settings.standby_required is (overlay == "production")
    if isinstance(settings, LicensingSettings):
        assert settings.log_folder == Path("/var/lib/sluice-log")
        assert settings.keys_dir == Path("/etc/sluice/keys")


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("name", SERVICES)
def test_a_database_is_believed_by_its_certificate_alone(overlay: str, name: str) -> None:
    given = manifests(overlay)
    suffix = "dev" if overlay == "dev" else "0-1-0"
    work, job = given.workload(name), given.workload(f"migrate-{name}-{suffix}")

    for container in (*work.every_container, *job.containers):
        told = environment(container)
        assert told["PGSSLMODE"] == "verify-full"
        assert PurePosixPath(told["PGSSLROOTCERT"]).parent in mounts(container)
        assert told[f"SLUICE_{name.upper()}_DATABASE_URL"] == SECRETS["uri"]


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_every_path_that_a_program_is_told_is_mounted(
    overlay: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = manifests(overlay)
    work, there = given.workload(name), provided(given)
    volumes = {each["name"]: each for each in work.pod["volumes"]}
    settings = settings_of(given, name, monkeypatch)
    mounted = mounts(work.containers[0])

    told = dict(paths(settings))

    assert told
    for setting, path in told.items():
        folder = path if path in mounted else path.parent
        assert folder in mounted, f"{setting}: nothing is mounted at {path}"
        assert mounted[folder].get("readOnly", False) is (setting not in WRITTEN), setting
        if folder != path:
            assert path.name in keys_of(volumes[mounted[folder]["name"]], there), f"{setting}: no {path.name}"


def keys_of(volume: Object, there: dict[tuple[str, str], set[str]]) -> set[str]:
    """The names of the files of a volume."""
    if "configMap" in volume:
        return there["ConfigMap", volume["configMap"]["name"]]
    items = {each["path"] for each in volume["secret"].get("items", ())}
    return items or there["Secret", volume["secret"]["secretName"]]


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_the_same_in_settings_probes_services_and_containers(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = manifests("production")
    settings = settings_of(given, name, monkeypatch)
    (container,) = given.workload(name).containers
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    (served,) = given.named("Service", f"{name}-pods")["spec"]["ports"]

    assert isinstance(settings, ServiceSettings)
    assert parse_address(settings.listen)[1] == ports["grpc"] == served["port"]
    assert parse_address(settings.health_listen or "")[1] == ports["health"]
    assert parse_address(settings.metrics_listen or "")[1] == ports["metrics"]
    probes = ("startupProbe", "readinessProbe", "livenessProbe")
    assert {container[probe]["grpc"]["port"] for probe in probes} == {ports["health"]}


@pytest.mark.parametrize("name", SERVICES)
def test_callers_find_every_pod_by_a_headless_service(name: str) -> None:
    spec = manifests("production").named("Service", f"{name}-pods")["spec"]

    assert (spec["clusterIP"], spec["publishNotReadyAddresses"]) == ("None", False)


def test_licensing_shares_calls_out_among_the_pods_of_its_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(manifests("production"), "licensing", monkeypatch)

    assert settings.consent_target == "dns:///consent-pods.sluice.svc.cluster.local:7601"
    assert settings.metering_target == "dns:///metering-pods.sluice.svc.cluster.local:7602"
    assert settings.directory_target == "dns:///directory-pods.platform.svc.cluster.local:7604"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_everything_that_pods_refer_to_is_made_by_somebody(overlay: str) -> None:
    assert list(missing(manifests(overlay))) == []


def test_what_operators_make_is_in_use() -> None:
    used = {
        (kind, name)
        for overlay in OVERLAYS
        for work in manifests(overlay).workloads()
        for kind, name, _ in _references(work)
    }
    # Of cert-manager, of the plugin of backups and of the cluster's Gateways, not of pods.
    elsewhere = {
        ("Secret", "sluice-ca"),
        ("Secret", "backup-store"),
        ("Secret", "public-tls"),
        ("Secret", "operators-tls"),
        ("ConfigMap", "sluice-ca"),
    }

    assert documented().keys() - used == elsewhere


def test_a_misspelt_reference_is_seen() -> None:
    given = manifests("production")
    (container,) = given.workload("metering").containers
    (url,) = [each for each in container["env"] if "valueFrom" in each]
    url["valueFrom"]["secretKeyRef"].update(key="url")
    for volume in given.workload("licensing").pod["volumes"]:
        if volume["name"] == "log":
            volume["persistentVolumeClaim"]["claimName"] = "log"
        if volume["name"] == "keys":
            volume["secret"]["secretName"] = "signing-keys"

    assert sorted(missing(given)) == [
        "licensing: PersistentVolumeClaim log",
        "licensing: Secret signing-keys",
        "metering: url of Secret metering-db-app",
    ]


def test_volumes_of_replicas_are_shared_and_those_of_one_node_are_not() -> None:
    modes = {
        overlay: {
            mode
            for each in manifests(overlay).of("PersistentVolumeClaim")
            for mode in each["spec"]["accessModes"]
        }
        for overlay in OVERLAYS
    }

    assert modes == {"dev": {"ReadWriteOnce"}, "production": {"ReadWriteMany"}}


def test_no_secret_is_among_the_manifests() -> None:
    assert [each for overlay in OVERLAYS for each in manifests(overlay).of("Secret")] == []
