"""A genuine run, made once for each file of tests, its submission, and copies of both to tamper with."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmark.config import Places
from benchmark.records.submission import pack
from tests.benchmark.tiny_run import make_places, make_run


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return make_places(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def genuine(tmp_path_factory: pytest.TempPathFactory, places: Places) -> Path:
    return make_run(tmp_path_factory.mktemp("runs"), places)


@pytest.fixture
def submission(tmp_path: Path, genuine: Path) -> Path:
    return pack(genuine, tmp_path / "submissions", "noisy")[0]


@pytest.fixture
def run(tmp_path: Path, genuine: Path) -> Path:
    return Path(shutil.copytree(genuine, tmp_path / "run"))
