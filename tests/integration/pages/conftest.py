"""The pages, over real services."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.cluster import a_cluster
from tests.support.pages_world import PagesWorld, pages_over


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[PagesWorld]:
    """Both pages, with nothing on record."""
    async with a_cluster(tmp_path) as cluster, pages_over(cluster, tmp_path) as pages:
        yield pages
