"""Network policies let through what the program dials, and nothing else: every target of a setting, of the
gateway's configuration, of a route and of a monitor is tried against them."""

import functools
import re
from collections.abc import Iterator

import pytest
import yaml

from services.chassis.public_addresses import FIRST_FREE_PORT, target_of
from tests.support.by_hand import DOCUMENT
from tests.support.manifests import COMPONENT, KUBERNETES, OVERLAYS, Manifests, manifests
from tests.support.network_policies import End, Flow, allowed
from tests.support.quick_start import blocks

SERVICES = ("consent", "metering", "licensing")
_TARGET = re.compile(r"(?:dns:///|http://)?([a-z0-9.-]+):(\d+)")
_IN_CLUSTER = re.compile(r"([a-z-]+)\.([a-z-]+)\.svc\.cluster\.local")
ELSEWHERE = {"directory-pods": "directory", "posts": "posts", "traces": "traces"}
"""Services of other namespaces, whose manifests are not here, and the component of their pods."""


def a_pod(component: str, **more: str) -> End:
    return End(labels={"app.kubernetes.io/name": "sluice", COMPONENT: component, **more})


def a_database(given: Manifests, owner: str) -> End:
    """A pod of the database of a service, with the labels that it will have."""
    clusters = [each for each in given.of("Cluster") if each["metadata"]["name"] == f"{owner}-db"]
    if not clusters:
        return End(labels=given.workload("postgresql").labels)
    (cluster,) = clusters
    # As CloudNativePG writes them; what a Cluster hands down would be written over its own.
    own = {"app.kubernetes.io/name": "postgresql", COMPONENT: "database", "cnpg.io/podRole": "instance"}
    handed_down = cluster["spec"].get("inheritedMetadata", {}).get("labels", {})
    return End(labels={"cnpg.io/cluster": cluster["metadata"]["name"], **own, **handed_down})


def of_namespace(name: str, **labels: str) -> End:
    return End(namespace=name, labels=labels)


def reached(given: Manifests, address: str) -> Flow:
    """Who is behind an address, by the Service that it names; from nobody yet."""
    found = _TARGET.fullmatch(address)
    assert found is not None, address
    host, port = found[1], int(found[2])
    named = _IN_CLUSTER.fullmatch(host)
    service, namespace = named.groups() if named else (host, "sluice")
    if namespace != "sluice":
        return Flow(End(), of_namespace(namespace, **{COMPONENT: ELSEWHERE[service]}), port)
    spec = given.named("Service", service)["spec"]
    assert port in [each["port"] for each in spec["ports"]], address
    return Flow(End(), End(labels=spec["selector"]), port)


def dialed(given: Manifests) -> Iterator[tuple[str, Flow]]:
    """What the settings of each container name."""
    for work in given.workloads():
        for setting in (each for container in work.every_container for each in container.get("env", ())):
            if setting["name"].endswith(("_TARGET", "_OTLP_ENDPOINT", "OTLP_BACKEND")):
                to = reached(given, setting["value"])
                yield setting["name"], Flow(End(labels=work.labels), to.target, to.port)
            elif setting["name"] == "OTEL_SAMPLERS":
                to = reached(given, f"{setting['value']}:4317")
                yield setting["name"], Flow(End(labels=work.labels), to.target, to.port)


@functools.cache
def gateways_addresses() -> set[str]:
    """Where the configuration of Envoy leads to."""
    text = (KUBERNETES / "base" / "gateway" / "envoy.yaml").read_text(encoding="utf-8")
    clusters = yaml.load(text, Loader=yaml.CSafeLoader)["static_resources"]["clusters"]
    endpoints = [cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0] for cluster in clusters]
    sockets = [each["endpoint"]["address"]["socket_address"] for each in endpoints]
    return {f"{each['address']}:{each['port_value']}" for each in sockets}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_nothing_is_let_in_or_out_that_no_policy_names(overlay: str) -> None:
    given, stranger = manifests(overlay), a_pod("unheard-of")

    assert not allowed(given, Flow(stranger, a_pod("unheard-of-too"), 80))
    assert not allowed(given, Flow(stranger, End(address="203.0.113.9"), 443))
    assert not allowed(given, Flow(of_namespace("elsewhere"), stranger, 80))


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_target_of_a_setting_can_be_reached(overlay: str) -> None:
    given = manifests(overlay)

    flows = dict(dialed(given))

    assert [name for name, flow in flows.items() if not allowed(given, flow)] == []
    assert {"SLUICE_LICENSING_CONSENT_TARGET", "SLUICE_SETTINGS_PAGE_GATEWAY_TARGET"} <= flows.keys()
    assert {"SLUICE_CONSOLE_METERING_TARGET", "SLUICE_METERING_OTLP_ENDPOINT"} <= flows.keys()
    assert (overlay == "production") is ({"OTEL_SAMPLERS", "OTLP_BACKEND"} <= flows.keys())


def test_everything_that_the_gateway_leads_to_can_be_reached() -> None:
    given, addresses = manifests("production"), gateways_addresses()

    public = {each for each in addresses if "svc.cluster.local" not in each}
    inside = [reached(given, each) for each in addresses - public]

    assert [to for to in inside if not allowed(given, Flow(a_pod("gateway"), to.target, to.port))] == []
    assert sorted(to.port for to in inside) == [4317, 7601, 7602, 7603, 8080]
    assert public == {"id.platform.example:443"}
    assert allowed(given, Flow(a_pod("gateway"), End(address="203.0.113.9"), 443))


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("service", ["consent", "metering", "licensing"])
def test_a_service_and_its_migration_reach_its_own_database_and_no_other(overlay: str, service: str) -> None:
    given = manifests(overlay)

    allowed_to = {
        owner: allowed(given, Flow(a_pod(service), a_database(given, owner), 5432)) for owner in SERVICES
    }

    assert allowed(given, Flow(a_pod("migrate"), a_database(given, service), 5432))
    assert allowed_to == {owner: overlay == "dev" or owner == service for owner in SERVICES}


@pytest.mark.parametrize("service", SERVICES)
def test_instances_of_a_database_reach_each_other_the_api_server_and_nobody_elses(service: str) -> None:
    given, operator = manifests("production"), of_namespace("cnpg-system")
    instance, other = a_database(given, service), a_database(given, _another(service))

    for port in (5432, 8000):
        assert allowed(given, Flow(instance, instance, port))
        assert not allowed(given, Flow(instance, other, port))
    assert allowed(given, Flow(operator, instance, 8000))
    assert not allowed(given, Flow(of_namespace("elsewhere"), instance, 8000))
    for port in (443, 6443):
        assert allowed(given, Flow(instance, End(address="10.96.0.1"), port))


def _another(service: str) -> str:
    return SERVICES[SERVICES.index(service) - 1]


def test_no_cluster_hands_down_labels_that_are_the_operators_own() -> None:
    reserved = ("app.kubernetes.io/", "cnpg.io/")
    handed_down = [
        label
        for each in manifests("production").of("Cluster")
        for label in each["spec"].get("inheritedMetadata", {}).get("labels", {})
    ]

    assert [label for label in handed_down if label.startswith(reserved)] == []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_names_are_looked_up(overlay: str) -> None:
    given, resolver = manifests(overlay), of_namespace("kube-system", **{"k8s-app": "kube-dns"})

    for protocol in ("UDP", "TCP"):
        assert allowed(given, Flow(a_pod("licensing"), resolver, 53, protocol))
        assert allowed(given, Flow(a_pod("migrate"), resolver, 53, protocol))
    assert not allowed(given, Flow(a_pod("licensing"), of_namespace("kube-system"), 53, "UDP"))


@pytest.mark.parametrize("protocol", ["UDP", "TCP"])
def test_names_are_looked_up_on_the_node_and_in_openshift_too(protocol: str) -> None:
    given, on_the_node = manifests("production"), End(address="169.254.20.10")
    openshift = of_namespace("openshift-dns", **{"dns.operator.openshift.io/daemonset-dns": "default"})

    assert allowed(given, Flow(a_pod("consent"), on_the_node, 53, protocol))
    assert allowed(given, Flow(a_pod("consent"), openshift, 5353, protocol))
    assert not allowed(given, Flow(a_pod("consent"), on_the_node, 80, protocol))
    assert not allowed(given, Flow(a_pod("consent"), of_namespace("openshift-dns"), 5353, protocol))


def test_figures_are_read_where_monitors_say() -> None:
    given, prometheus = manifests("production"), of_namespace("monitoring")
    ports = {
        (work.name, port["name"]): port["containerPort"]
        for work in given.workloads()
        for container in work.containers
        for port in container.get("ports", ())
    }
    monitored = [
        ("consent", "metrics"),
        ("metering", "metrics"),
        ("licensing", "metrics"),
        ("gateway", "figures"),
        ("otel-collector", "metrics"),
        ("otel-sampler", "metrics"),
    ]

    for name, port in monitored:
        assert allowed(given, Flow(prometheus, a_pod(name), ports[name, port]))
        assert not allowed(given, Flow(of_namespace("elsewhere"), a_pod(name), ports[name, port]))
    assert allowed(given, Flow(prometheus, a_pod("consent-db", **{"cnpg.io/cluster": "consent-db"}), 9187))


def test_what_routes_lead_to_can_be_reached_from_where_tls_ends() -> None:
    given, entry = manifests("production"), of_namespace("gateway-system")
    backends = {
        (backend["name"], backend["port"])
        for route in (*given.of("HTTPRoute"), *given.of("GRPCRoute"))
        for rule in route["spec"]["rules"]
        for backend in rule["backendRefs"]
    }

    assert backends == {("gateway", 7600), ("settings-page", 7621), ("console", 7620)}
    for service, port in backends:
        to = reached(given, f"{service}.sluice.svc.cluster.local:{port}")
        assert allowed(given, Flow(entry, to.target, to.port))


def test_gateways_in_a_namespace_of_their_own_are_let_in_by_the_patch_of_the_page() -> None:
    given, entry = manifests("production"), of_namespace("entry")
    (text,) = [block.text for block in blocks(DOCUMENT) if "/spec/ingress/0/from/0/" in block.text]
    (patch,) = yaml.safe_load(text)
    doors = {"gateway": 7600, "settings-page": 7621, "console": 7620}

    for name in doors:
        (first, *_) = given.named("NetworkPolicy", name)["spec"]["ingress"]
        first["from"][0]["namespaceSelector"]["matchLabels"] = patch["value"]

    assert (patch["op"], patch["path"]) == (
        "replace",
        "/spec/ingress/0/from/0/namespaceSelector/matchLabels",
    )
    for name, port in doors.items():
        assert allowed(given, Flow(entry, a_pod(name), port))
        assert not allowed(given, Flow(of_namespace("gateway-system"), a_pod(name), port))
    assert allowed(given, Flow(a_pod("settings-page"), a_pod("gateway"), 7600))


def test_pipelines_reach_licensing_from_the_namespaces_that_may_and_from_no_other() -> None:
    given = manifests("production")
    exports = End(namespace="exports", namespace_labels={"sluice.example/pipelines": "true"})

    assert allowed(given, Flow(exports, a_pod("licensing"), 7603))
    assert not allowed(given, Flow(exports, a_pod("consent"), 7601))
    assert not allowed(given, Flow(of_namespace("elsewhere"), a_pod("licensing"), 7603))


@pytest.mark.parametrize("component", ["licensing", "gateway", "settings-page"])
@pytest.mark.parametrize(
    "private",
    ["10.1.2.3", "192.168.0.1", "172.20.0.1", "169.254.169.254", "100.64.0.1", "127.0.0.1", "fd00::1"],
)
def test_what_goes_to_the_internet_goes_to_no_network_of_our_own(component: str, private: str) -> None:
    given = manifests("production")

    assert allowed(given, Flow(a_pod(component), End(address="203.0.113.9"), 443))
    assert allowed(given, Flow(a_pod(component), End(address="2001:db8::9"), 443))
    assert not allowed(given, Flow(a_pod(component), End(address=private), 443))
    assert not allowed(given, Flow(a_pod(component), End(address="203.0.113.9"), 80))


@pytest.mark.parametrize("port", [443, FIRST_FREE_PORT, 8443, 65_535])
def test_licensing_reaches_a_webhook_at_every_port_that_it_takes(port: int) -> None:
    given, webhook = manifests("production"), End(address="203.0.113.9")

    target = target_of(f"https://hooks.licensee.example:{port}/recalls")

    assert target.port == port
    assert allowed(given, Flow(a_pod("licensing"), webhook, port))
    assert not allowed(given, Flow(a_pod("licensing"), End(address="10.1.2.3"), port))
    assert not allowed(given, Flow(a_pod("licensing"), webhook, FIRST_FREE_PORT - 1))
    assert allowed(given, Flow(a_pod("consent"), webhook, port)) is (port == 443)


@pytest.mark.parametrize(
    ("source", "target", "port"),
    [
        ("consent", "licensing", 7603),
        ("metering", "consent", 7601),
        ("settings-page", "consent", 7601),
        ("settings-page", "licensing", 7603),
        ("console", "gateway", 7600),
        ("console", "consent", 7690),
        ("migrate", "licensing", 7603),
        ("licensing", "consent", 7691),
        ("licensing", "otel-sampler", 4317),
        ("otel-sampler", "otel-collector", 4317),
        ("otel-collector", "consent", 7601),
        ("migrate", "otel-collector", 4317),
    ],
)
def test_nobody_calls_who_is_not_theirs_to_call(source: str, target: str, port: int) -> None:
    given = manifests("production")

    assert not allowed(given, Flow(a_pod(source), a_pod(target), port))


@pytest.mark.parametrize("source", ["gateway", "settings-page", "console", "otel-collector"])
def test_who_has_no_database_reaches_none(source: str) -> None:
    given = manifests("production")

    reached_by = [
        name for name in SERVICES if allowed(given, Flow(a_pod(source), a_database(given, name), 5432))
    ]

    assert reached_by == []


@pytest.mark.parametrize(
    ("policy", "way", "lost"),
    [
        ("licensing", "egress", "SLUICE_LICENSING_CONSENT_TARGET"),
        ("consent", "ingress", "SLUICE_LICENSING_CONSENT_TARGET"),
        ("gateway", "ingress", "SLUICE_SETTINGS_PAGE_GATEWAY_TARGET"),
        ("metering", "egress", "SLUICE_METERING_OTLP_ENDPOINT"),
        ("otel-collector", "ingress", "SLUICE_METERING_OTLP_ENDPOINT"),
        ("otel-collector-to-samplers", "egress", "OTEL_SAMPLERS"),
        ("otel-sampler", "ingress", "OTEL_SAMPLERS"),
        ("otel-sampler", "egress", "OTLP_BACKEND"),
    ],
)
def test_a_policy_that_forgets_a_flow_is_seen(policy: str, way: str, lost: str) -> None:
    given = manifests("production")

    given.named("NetworkPolicy", policy)["spec"][way] = []

    assert not allowed(given, dict(dialed(given))[lost])
