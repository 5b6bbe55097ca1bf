"""Cohorts of a run: what is said while they are prepared."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.config import Places
from benchmark.progress import Reporter
from benchmark.run.cohorts import prepare_cohort
from tests.releases import write_challenge


def test_a_damaged_store_is_made_again_and_that_is_said_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_challenge(tmp_path / "data")
    places = Places(tmp_path / "data", tmp_path / "cache")
    store = prepare_cohort("georgia", places, Reporter())
    assert "damaged" not in capsys.readouterr().err
    store.path.write_bytes(store.path.read_bytes()[:1000])
    again = prepare_cohort("georgia", places, Reporter())
    assert again.fingerprint == store.fingerprint
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "damaged" in line]
    assert line.startswith(f"The store of {store.card.name}, {store.path}, was damaged (")
    assert line.endswith(") and is made again.")
