from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.fakecluster import FakeCluster
from tests.support.services_user import User


@pytest.fixture
def user(cluster: FakeCluster, tmp_path: Path) -> User:
    return User(cluster, tmp_path)
