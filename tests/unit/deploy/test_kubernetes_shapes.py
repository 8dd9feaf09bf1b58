"""Every object has the shape that its API asks for, in four versions of Kubernetes, and no field too many."""

import functools
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from tests.support.custom_resources import SPECS
from tests.support.manifests import OVERLAYS, Manifests, Object, manifests

VERSIONS = ("1.34", "1.35", "1.36", "1.37")
OF_KUBERNETES = {"v1", "apps/v1", "batch/v1", "policy/v1", "autoscaling/v2", "networking.k8s.io/v1"}


@pytest.fixture(scope="module")
def validate() -> Callable[..., str]:
    """`kubernetes_validate.validate`, which would read its schemas anew for each object."""
    found = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
    found.utils.schema_contents = functools.lru_cache(found.utils.schema_contents)
    checked: Callable[..., str] = found.validate
    return checked


def faults(resource: Object) -> list[str]:
    """What is wrong with a custom resource."""
    schema = SPECS[resource["apiVersion"], resource["kind"]]
    found = jsonschema.Draft202012Validator(schema).iter_errors(resource["spec"])
    return [
        f"{resource['kind']} {resource['metadata']['name']}: {each.json_path} {each.message}"
        for each in found
    ]


def custom(given: Manifests) -> list[Object]:
    return [each for each in given.objects if each["apiVersion"] not in OF_KUBERNETES]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_objects_of_kubernetes_are_as_each_version_has_them(
    validate: Callable[..., str], overlay: str, version: str
) -> None:
    for each in manifests(overlay).objects:
        if each["apiVersion"] in OF_KUBERNETES:
            assert validate(each, version, strict=True) == version


def test_a_field_that_kubernetes_does_not_know_is_seen(validate: Callable[..., str]) -> None:
    given = manifests("production")
    given.workload("consent").pod["terminationGracePeriod"] = 40

    with pytest.raises(jsonschema.ValidationError, match="terminationGracePeriod"):
        validate(given.named("Deployment", "consent"), "1.37", strict=True)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_custom_resources_are_of_known_kinds_and_in_shape(overlay: str) -> None:
    given = custom(manifests(overlay))

    assert [fault for each in given for fault in faults(each)] == []
    assert {"Certificate", "Issuer"} <= {each["kind"] for each in given}


@pytest.mark.parametrize(
    ("kind", "name", "change"),
    [
        ("Certificate", "consent", lambda spec: spec.update(dnsName=["consent"])),
        ("Certificate", "consent", lambda spec: spec["privateKey"].update(algorithm="Ed25519")),
        ("Issuer", "sluice", lambda spec: spec.update(selfSigned={})),
        ("GRPCRoute", "grpc", lambda spec: spec["rules"][0].update(timeouts={"request": "0s"})),
        ("BackendTLSPolicy", "gateway", lambda spec: spec["validation"].pop("hostname")),
        ("Gateway", "public", lambda spec: spec["listeners"][0].pop("tls")),
        (
            "Cluster",
            "consent-db",
            lambda spec: spec["postgresql"]["synchronous"].update(dataDurability="preferred"),
        ),
        ("Cluster", "licensing-db", lambda spec: spec.update(instances=2)),
        ("ScheduledBackup", "metering-db", lambda spec: spec.update(schedule="0 2 * * *")),
        ("ObjectStore", "backup-store", lambda spec: spec["configuration"]["wal"].update(compress="gzip")),
        ("PodMonitor", "services", lambda spec: spec.update(podMetricsEndpoint=[])),
        ("PrometheusRule", "sluice-database", lambda spec: spec["groups"][0]["rules"][0].pop("expr")),
    ],
)
def test_a_custom_resource_out_of_shape_is_seen(
    kind: str, name: str, change: Callable[[Object], Any]
) -> None:
    resource = manifests("production").named(kind, name)

    change(resource["spec"])

    assert len(faults(resource)) == 1


@pytest.mark.parametrize("service", ["consent", "metering", "licensing"])
def test_certificates_of_services_say_who_they_are_as_docs_tls_has_it(service: str) -> None:
    spec = manifests("production").named("Certificate", service)["spec"]

    assert spec["uris"] == [f"spiffe://sluice/{service}"]
    assert spec["dnsNames"] == [service, f"{service}-pods.sluice.svc.cluster.local"]
    assert {"server auth", "client auth"} <= set(spec["usages"])
    assert "commonName" not in spec


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_certificate_but_a_services_own_is_good_for_a_server_of_its_name(overlay: str) -> None:
    services = {"consent", "metering", "licensing", "directory"}

    for each in manifests(overlay).of("Certificate"):
        name, spec = each["metadata"]["name"], each["spec"]
        told = {*spec.get("dnsNames", ()), spec.get("commonName", "")}
        assert told & services == {name} & services
        assert "server auth" in spec["usages"] or "client auth" in spec["usages"] or spec.get("isCA")


def test_the_gateway_and_the_console_are_clients_and_answer_in_nobodys_name() -> None:
    given = manifests("production")

    told = {
        name: (
            given.named("Certificate", name)["spec"]["uris"],
            given.named("Certificate", name)["spec"]["usages"],
        )
        for name in ("gateway", "console")
    }

    assert told == {
        "gateway": (["spiffe://sluice/gateway"], ["digital signature", "client auth"]),
        "console": (["spiffe://sluice/client/console"], ["digital signature", "client auth"]),
    }
