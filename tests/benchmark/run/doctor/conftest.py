"""A machine with nothing on it but a torch that is quickly asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.config import Places
from tests.benchmark.run.doctor.examined import TORCH, torch_of


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """An empty folder of releases, and a cache that is not there yet."""
    (tmp_path / "data").mkdir()
    return Places(tmp_path / "data", tmp_path / "cache")


@pytest.fixture(autouse=True)
def _torch_that_is_quickly_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch_of(tmp_path, TORCH.format(cuda=None, devices=0), monkeypatch)
