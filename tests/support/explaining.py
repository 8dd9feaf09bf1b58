"""Calls of ExplainRelease."""

from collections.abc import Sequence
from typing import Any

from services.chassis.identity import PrincipalKind
from sluice.licensing.v1 import explanation_service_pb2 as pb
from sluice.licensing.v1 import post_pb2
from sluice.licensing.v1.explanation_service_pb2_grpc import ExplanationServiceStub
from tests.support.cluster import TRAINING, Cluster


async def explain(
    cluster: Cluster,
    posts: Sequence[post_pb2.Post],
    kind: PrincipalKind = PrincipalKind.OPERATOR,
    **fields: Any,
) -> pb.ExplainReleaseResponse:
    """What an operator is told, unless another `kind` asks."""
    batch = {} if "columns" in fields else {"posts": post_pb2.PostList(posts=posts)}
    defaults = {"license_id": "acme-training", "purpose": TRAINING, **batch}
    peer = cluster.licensing.peer(kind, "ada", ["trust"])
    request = pb.ExplainReleaseRequest(**{**defaults, **fields})
    return await peer.call(ExplanationServiceStub(peer.channel).ExplainRelease, request)
