"""Three services, a policy, an allowance of ten posts a day, and a few people."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.cluster import Cluster, a_cluster


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with a_cluster(tmp_path) as cluster:
        await cluster.publish_policy()
        await cluster.know(*range(1, 21))
        await cluster.license(limit=10)
        yield cluster
