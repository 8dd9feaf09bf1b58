"""The shapes of the custom resources of deploy/kubernetes, as far as they are used there: whatever else a
resource has is misspelt, or has to be looked up in its definition and added here.

They follow cert-manager (cert-manager.io/v1), Gateway API 1.4 (standard channel), CloudNativePG 1.30
with the Barman Cloud plugin, and the Prometheus operator (monitoring.coreos.com/v1).
"""

from typing import Any

Schema = dict[str, Any]


def an_object(required: Schema, optional: Schema | None = None) -> Schema:
    """An object with these fields and no other."""
    fields = {**required, **(optional or {})}
    return {
        "type": "object",
        "properties": fields,
        "required": list(required),
        "additionalProperties": False,
    }


def a_list(of: Schema) -> Schema:
    """A list that is not empty."""
    return {"type": "array", "items": of, "minItems": 1}


def one_of(*values: str) -> Schema:
    """One of these words."""
    return {"enum": list(values)}


def matching(pattern: str) -> Schema:
    """A text of this form, whole."""
    return {"type": "string", "pattern": f"^(?:{pattern})$"}


NAME = matching(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
TEXT = {"type": "string", "minLength": 1}
YES = {"type": "boolean"}
PORT = {"type": "integer", "minimum": 1, "maximum": 65_535}
NUMBER = {"type": "integer", "minimum": 0}
SIZE = matching(r"\d+(Mi|Gi|Ti)?")
DURATION = matching(r"(\d+(h|m|s))+")
LABELS = {"type": "object", "additionalProperties": {"type": "string"}}
NAMED = an_object({"name": NAME})
SECRET_KEY = an_object({"name": NAME, "key": TEXT})
SELECTOR = {
    **an_object(
        {},
        {
            "matchLabels": LABELS,
            "matchExpressions": a_list(
                an_object({"key": TEXT, "operator": one_of("In", "Exists")}, {"values": a_list(TEXT)})
            ),
        },
    ),
    "minProperties": 1,
}

CERTIFICATE = an_object(
    {
        "secretName": NAME,
        "duration": DURATION,
        "renewBefore": DURATION,
        "privateKey": an_object(
            {
                "algorithm": one_of("ECDSA"),
                "size": {"enum": [256, 384]},
                "rotationPolicy": one_of("Always", "Never"),
            }
        ),
        "usages": a_list(one_of("digital signature", "server auth", "client auth", "cert sign", "crl sign")),
        "issuerRef": an_object(
            {"name": NAME, "kind": one_of("Issuer", "ClusterIssuer"), "group": one_of("cert-manager.io")}
        ),
    },
    {
        "uris": a_list(matching(r"spiffe://[a-z0-9._-]+/[a-z0-9/-]+")),
        "dnsNames": a_list(NAME),
        "commonName": TEXT,
        "isCA": YES,
    },
)
ISSUER = {
    **an_object({}, {"ca": an_object({"secretName": NAME}), "selfSigned": an_object({})}),
    "minProperties": 1,
    "maxProperties": 1,
}

PARENTS = a_list(an_object({"name": NAME, "sectionName": NAME}))
BACKENDS = a_list(an_object({"name": NAME, "port": PORT}))
HOSTS = a_list(matching(r"(\*\.)?[a-z0-9.-]+"))
GATEWAY = an_object(
    {
        "gatewayClassName": NAME,
        "listeners": a_list(
            an_object(
                {
                    "name": NAME,
                    "protocol": one_of("HTTPS"),
                    "port": PORT,
                    "hostname": matching(r"(\*\.)?[a-z0-9.-]+"),
                    "tls": an_object({"mode": one_of("Terminate"), "certificateRefs": a_list(NAMED)}),
                    "allowedRoutes": an_object(
                        {"namespaces": an_object({"from": one_of("Same", "All", "Selector")})}
                    ),
                }
            )
        ),
    }
)
HTTP_ROUTE = an_object(
    {
        "parentRefs": PARENTS,
        "hostnames": HOSTS,
        "rules": a_list(
            an_object({"backendRefs": BACKENDS}, {"timeouts": an_object({"request": DURATION})}),
        ),
    }
)
GRPC_ROUTE = an_object(
    {"parentRefs": PARENTS, "hostnames": HOSTS, "rules": a_list(an_object({"backendRefs": BACKENDS}))}
)
REFERENCE = {"group": {"const": ""}, "kind": TEXT, "name": NAME}
BACKEND_TLS = an_object(
    {
        "targetRefs": a_list(an_object(REFERENCE, {"sectionName": NAME})),
        "validation": an_object(
            {"hostname": matching(r"[a-z0-9.-]+"), "caCertificateRefs": a_list(an_object(REFERENCE))}
        ),
    }
)

PLUGIN = one_of("barman-cloud.cloudnative-pg.io")
ARCHIVE = an_object({"barmanObjectName": NAME}, {"serverName": NAME})
CLUSTER = an_object(
    {
        "imageName": TEXT,
        "instances": {"type": "integer", "minimum": 3},
        "bootstrap": {
            "oneOf": [
                an_object(
                    {
                        "initdb": an_object(
                            {"database": NAME, "owner": NAME, "encoding": TEXT, "dataChecksums": YES}
                        )
                    }
                ),
                an_object(
                    {
                        "recovery": an_object(
                            {"source": NAME, "database": NAME, "owner": NAME},
                            {"recoveryTarget": an_object({"targetTime": TEXT})},
                        )
                    }
                ),
            ]
        },
        "postgresql": an_object(
            {
                # What an acknowledged commit outlives rests on these.
                "synchronous": an_object(
                    {
                        "method": one_of("any"),
                        "number": {"type": "integer", "minimum": 1},
                        "dataDurability": one_of("required"),
                        "failoverQuorum": {"const": True},
                    }
                ),
                "parameters": LABELS,
            }
        ),
        "storage": an_object({"size": SIZE}, {"storageClass": NAME}),
        "walStorage": an_object({"size": SIZE}, {"storageClass": NAME}),
        "resources": an_object({"requests": LABELS, "limits": LABELS}),
        "affinity": an_object(
            {
                "enablePodAntiAffinity": {"const": True},
                "podAntiAffinityType": one_of("required", "preferred"),
                "topologyKey": one_of("topology.kubernetes.io/zone"),
            }
        ),
        "plugins": a_list(
            an_object(
                {
                    "name": PLUGIN,
                    "isWALArchiver": {"const": True},
                    "parameters": ARCHIVE,
                }
            )
        ),
    },
    {
        "externalClusters": a_list(
            an_object({"name": NAME, "plugin": an_object({"name": PLUGIN, "parameters": ARCHIVE})})
        ),
        "enableSuperuserAccess": {"const": False},
        "primaryUpdateStrategy": one_of("unsupervised", "supervised"),
        "smartShutdownTimeout": NUMBER,
    },
)
SCHEDULED_BACKUP = an_object(
    {
        "cluster": NAMED,
        # Six fields: with seconds.
        "schedule": matching(r"\S+( \S+){5}"),
        "method": one_of("plugin"),
        "pluginConfiguration": an_object({"name": PLUGIN}),
    },
    {
        "immediate": YES,
        "backupOwnerReference": one_of("none", "self", "cluster"),
        "target": one_of("primary", "prefer-standby"),
    },
)
COMPRESSION = an_object({"compression": one_of("gzip", "snappy", "bzip2")})
OBJECT_STORE = an_object(
    {
        "retentionPolicy": matching(r"[1-9]\d*[dwm]"),
        "configuration": an_object(
            {
                "destinationPath": matching(r"s3://\S+"),
                "s3Credentials": an_object({"accessKeyId": SECRET_KEY, "secretAccessKey": SECRET_KEY}),
                "wal": COMPRESSION,
                "data": COMPRESSION,
            },
            {"endpointURL": TEXT},
        ),
    }
)
POD_MONITOR = an_object(
    {
        "selector": SELECTOR,
        "podMetricsEndpoints": a_list(
            an_object(
                {"port": NAME, "path": matching(r"/\S*"), "interval": DURATION},
            )
        ),
    },
    {"jobLabel": TEXT},
)
METRIC = matching(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
PROMETHEUS_RULE = an_object(
    {
        "groups": a_list(
            an_object(
                {
                    "name": NAME,
                    "rules": a_list(
                        {
                            "oneOf": [
                                an_object({"record": METRIC, "expr": TEXT}, {"labels": LABELS}),
                                an_object(
                                    {"alert": METRIC, "expr": TEXT},
                                    {
                                        "for": DURATION,
                                        "keep_firing_for": DURATION,
                                        "labels": LABELS,
                                        "annotations": LABELS,
                                    },
                                ),
                            ]
                        }
                    ),
                },
                {"interval": DURATION},
            )
        )
    }
)

SPECS: dict[tuple[str, str], Schema] = {
    ("cert-manager.io/v1", "Certificate"): CERTIFICATE,
    ("cert-manager.io/v1", "Issuer"): ISSUER,
    ("gateway.networking.k8s.io/v1", "Gateway"): GATEWAY,
    ("gateway.networking.k8s.io/v1", "HTTPRoute"): HTTP_ROUTE,
    ("gateway.networking.k8s.io/v1", "GRPCRoute"): GRPC_ROUTE,
    ("gateway.networking.k8s.io/v1", "BackendTLSPolicy"): BACKEND_TLS,
    ("postgresql.cnpg.io/v1", "Cluster"): CLUSTER,
    ("postgresql.cnpg.io/v1", "ScheduledBackup"): SCHEDULED_BACKUP,
    ("barmancloud.cnpg.io/v1", "ObjectStore"): OBJECT_STORE,
    ("monitoring.coreos.com/v1", "PodMonitor"): POD_MONITOR,
    ("monitoring.coreos.com/v1", "PrometheusRule"): PROMETHEUS_RULE,
}
"""The `spec` of each kind, by its version."""
