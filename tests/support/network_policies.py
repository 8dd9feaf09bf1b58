"""What NetworkPolicies let through, as a network plugin reads them: the union of those that select a pod."""

import ipaddress
from dataclasses import dataclass, field

from tests.support.manifests import NAMESPACE, Manifests, Object


@dataclass(frozen=True)
class End:
    """One end of a connection: a pod, or an address outside of the cluster."""

    labels: dict[str, str] = field(default_factory=dict)
    namespace: str = NAMESPACE
    namespace_labels: dict[str, str] = field(default_factory=dict)
    address: str | None = None


@dataclass(frozen=True)
class Flow:
    """A connection that somebody wants to make."""

    source: End
    target: End
    port: int
    protocol: str = "TCP"


def allowed(given: Manifests, flow: Flow) -> bool:
    """Whether both ends let it through."""
    policies = given.of("NetworkPolicy")
    return _lets(policies, flow, flow.source, flow.target, "Egress") and _lets(
        policies, flow, flow.target, flow.source, "Ingress"
    )


def _lets(policies: list[Object], flow: Flow, end: End, other: End, way: str) -> bool:
    """Whether the policies of `end` let the flow through, of which `other` is the other end."""
    if end.address is not None or end.namespace != NAMESPACE:
        return True
    own = [
        policy["spec"]
        for policy in policies
        if way in policy["spec"]["policyTypes"] and _matches(policy["spec"]["podSelector"], end.labels)
    ]
    rules = [rule for spec in own for rule in spec.get(way.lower(), ())]
    peers = "to" if way == "Egress" else "from"
    return not own or any(_has_port(rule, flow) and _has_peer(rule.get(peers), other) for rule in rules)


def _has_port(rule: Object, flow: Flow) -> bool:
    ports = rule.get("ports")
    return ports is None or any(
        port["port"] <= flow.port <= port.get("endPort", port["port"])
        and port.get("protocol", "TCP") == flow.protocol
        for port in ports
    )


def _has_peer(peers: list[Object] | None, end: End) -> bool:
    return peers is None or any(_is_peer(peer, end) for peer in peers)


def _is_peer(peer: Object, end: End) -> bool:
    if "ipBlock" in peer:
        return end.address is not None and _in_block(peer["ipBlock"], end.address)
    if end.address is not None:
        return False
    if "namespaceSelector" in peer:
        labels = {"kubernetes.io/metadata.name": end.namespace, **end.namespace_labels}
        if not _matches(peer["namespaceSelector"], labels):
            return False
    elif end.namespace != NAMESPACE:
        return False
    return _matches(peer.get("podSelector", {}), end.labels)


def _in_block(block: Object, text: str) -> bool:
    address = ipaddress.ip_address(text)
    without = [ipaddress.ip_network(each) for each in block.get("except", ())]
    return address in ipaddress.ip_network(block["cidr"]) and not any(address in each for each in without)


def _matches(selector: Object, labels: dict[str, str]) -> bool:
    """An empty selector matches everything; of expressions, those that are used here are understood."""
    wanted: dict[str, str] = selector.get("matchLabels", {})
    for expression in selector.get("matchExpressions", ()):
        assert expression["operator"] == "In", expression
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return wanted.items() <= labels.items()
