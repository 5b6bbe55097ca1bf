"""What `leadboard sample-size` and `leadboard overlap --fingerprints` print."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmark.commands.overlapping import overlap
from benchmark.commands.sizing import sample_size
from benchmark.metrics.sample_size import for_auroc_width, for_difference, patients_for
from cohorts.errors import UsageError
from tests.releases import write_challenge


def test_the_table_says_what_is_needed_and_what_was_assumed(capsys: pytest.CaptureFixture[str]) -> None:
    assert sample_size(auroc=0.9, prevalence=0.02, difference=0.02) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 100
    assert lines[0].split() == ["for", "patients", "positives"]
    assert "AUROC 0.9, interval 0.05 wide" in lines[1]
    assert f"{for_auroc_width(0.9, 0.02, 0.05):,}" in lines[1]
    for power in (80, 90):
        (line,) = [line for line in lines if f"power {power} %" in line]
        assert f"{for_difference(0.9, 0.02, 0.02, 0.5, power / 100):,}" in line
    assert any(line.startswith("Assumed: 0.02 of the recordings") for line in lines)
    assert any(line.startswith("AUPRC: the logit interval of Boyd") for line in lines)


def test_json_counts_patients_and_their_records(capsys: pytest.CaptureFixture[str]) -> None:
    sample_size(auroc=0.9, prevalence=0.02, records_per_patient=4, icc=0.5, as_json=True)
    first = json.loads(capsys.readouterr().out)["needed"][0]
    patients = patients_for(for_auroc_width(0.9, 0.02, 0.05) or 0, 4, 0.5)
    assert (first["patients"], first["records"]) == (patients, 4 * patients)
    assert first["positives"] == -(-4 * patients * 2 // 100)


def test_what_nobody_has_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    sample_size(auroc=0.9, prevalence=1e-8, width=1e-4)
    assert "more than a billion" in capsys.readouterr().out


def test_fingerprints_are_made_and_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_challenge(tmp_path / "data", "georgia", records=12)
    where = {"data": tmp_path / "data", "cache": tmp_path / "cache"}
    file = tmp_path / "georgia.fingerprints"
    assert overlap(fingerprints=("georgia",), out=file, **where) == 0
    said = capsys.readouterr().out
    assert f"{file}: fingerprints of 12 records" in said
    assert b"E0" not in file.read_bytes()  # no id of a record

    assert overlap("georgia", str(file), as_json=True, **where) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert (answer["records_a"], answer["records_b"]) == (12, 12)
    assert answer["shared_a"] == answer["shared_b"] == len({row["record_a"] for row in answer["shared"]})
    assert {row["record_b"] for row in answer["shared"]} <= {"not named"}

    overlap(str(file), str(file), **where)
    assert "0 of 12 records of georgia" in capsys.readouterr().out

    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(UsageError, match="it is not complete"):
        overlap("georgia", str(file), **where)
