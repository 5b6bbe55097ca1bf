"""Cohorts of a run: which take part, and what is said while they are prepared."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.config import Places
from benchmark.models.contamination import relation
from benchmark.progress import Reporter
from benchmark.run.cohorts import choose_cohorts, prepare_cohort
from cohorts.errors import UsageError
from tests.cohorts.wfdb_releases import write_icd
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


def test_a_signal_that_is_damaged_during_a_run_is_made_again_and_that_is_said_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_challenge(tmp_path / "data")
    store = prepare_cohort("georgia", Places(tmp_path / "data", tmp_path / "cache"), Reporter())
    whole = store.counts(0).copy()
    store.close()
    content = bytearray(store.path.read_bytes())
    place = content.index(whole.tobytes())
    content[place] ^= 1
    store.path.write_bytes(content)
    capsys.readouterr()
    assert (store.counts(0) == whole).all()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(
        f"The store of {store.card.name}, {store.path}, was damaged (the signal of record "
    )
    assert line.endswith(" does not fit its checksum) and is made again.")


def test_two_sources_of_labels_for_the_same_recordings_never_stand_beside_each_other(tmp_path):
    write_icd(tmp_path)
    places = Places(data=tmp_path, cache=tmp_path / "cache")
    chosen, absent = choose_cohorts([], places)
    assert chosen == ["mimic-iv-ecg"]
    reasons = {one.cohort: one.reason for one in absent}
    assert reasons["mimic-iv-ecg-ext-icd"] == "holds recordings of mimic-iv-ecg, which takes part"
    for asked in (["mimic-iv-ecg-ext-icd", "mimic-iv-ecg"], ["mimic-iv-ecg", "mimic-iv-ecg-ext-icd"]):
        with pytest.raises(UsageError, match="hold the same recordings; evaluate one of the two"):
            choose_cohorts(asked, places)
    assert choose_cohorts(["mimic-iv-ecg-ext-icd"], places)[0] == ["mimic-iv-ecg-ext-icd"]


def test_a_model_trained_on_the_recordings_knows_both_sources_of_labels():
    assert relation(("mimic-iv-ecg",), "mimic-iv-ecg-ext-icd") == "internal"
