"""A finished run, made once for each file of tests, and copies of it to damage."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.benchmark.run.damaged import COUNTING, again
from tests.releases import write_challenge, write_ptb_xl


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Releases, a model that counts how often it is built, and a finished run of it."""
    folder = tmp_path_factory.mktemp("home")
    write_ptb_xl(folder / "data")
    write_challenge(folder / "data", "georgia")
    (folder / "counting.py").write_text(COUNTING)
    assert again(folder, folder / "run").failed == 0
    return folder


@pytest.fixture
def folder(home: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(home / "run", tmp_path / "run"))


@pytest.fixture
def cluster() -> Iterator[Any]:
    """Two machines as Ray sees them, on this one; the first computes nothing."""
    cluster_utils = pytest.importorskip("ray.cluster_utils")
    made = cluster_utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    session = made.head_node.get_session_dir_path()
    yield made
    made.shutdown()
    shutil.rmtree(session, ignore_errors=True)
