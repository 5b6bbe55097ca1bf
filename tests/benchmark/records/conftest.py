"""A submission of the run that the tests of a file share, to tamper with."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.records.submission import pack


@pytest.fixture
def submission(tmp_path: Path, genuine: Path) -> Path:
    return pack(genuine, tmp_path / "submissions", "noisy")[0]
