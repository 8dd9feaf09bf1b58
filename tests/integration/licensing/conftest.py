"""Three services, a policy, an allowance of ten posts a day, and a few people; on each engine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.cluster import Cluster, a_cluster
from tests.support.engines import ENGINES, urls_on


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Where the rows are; a module that is not about rows may name one engine."""
    return str(request.param)


@pytest.fixture
async def cluster(request: pytest.FixtureRequest, tmp_path: Path, engine: str) -> AsyncIterator[Cluster]:
    async with a_cluster(tmp_path, urls=urls_on(engine, request, tmp_path)) as cluster:
        await cluster.publish_policy()
        await cluster.know(*range(1, 21))
        await cluster.license(limit=10)
        yield cluster
