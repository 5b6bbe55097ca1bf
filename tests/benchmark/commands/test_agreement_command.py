"""``agreement`` and ``tasks`` as they are called."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from benchmark.cli import app
from cohorts.errors import UsageError
from tests.releases import write_ptb_xl


@pytest.fixture
def plus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """PTB-XL of eight records without a signal, and PTB-XL+ with what the programme said of seven."""
    monkeypatch.delenv("LEADBOARD_DATA", raising=False)
    write_ptb_xl(tmp_path / "data", records=8)
    for signal in (tmp_path / "data").rglob("*.dat"):
        signal.unlink()
    sick, well = "['AFIB', 'AB']", "['NSR', 'NML']"  # PTB-XL: 3, 4, 7 and 8 are in fibrillation
    said = {1: well, 2: well, 3: sick, 4: sick, 5: sick, 6: well, 7: well}
    folder = tmp_path / "ptb-xl-plus"
    (folder / "labels").mkdir(parents=True)
    table = pd.DataFrame({"ecg_id": said.keys(), "statements": said.values()})
    table.to_csv(folder / "labels/12sl_statements.csv", index=False)
    return folder


def call(*arguments: str) -> int:
    code = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    assert isinstance(code, int)
    return code


def test_agreement_with_the_second_reader(plus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ("--data", str(plus.parent / "data"))
    assert call("agreement", str(plus), *data, "--resamples", "50", "--seed", "3", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert {name: answer[name] for name in ("cohort", "records", "resamples", "seed")} == {
        "cohort": "ptb-xl",
        "records": 8,
        "resamples": 50,
        "seed": 3,
    }
    fibrillation = next(row for row in answer["concepts"] if row["concept"] == "AF")
    assert [fibrillation[name] for name in ("records", "first", "second", "both")] == [7, 3, 3, 2]
    assert fibrillation["positive_agreement"] == pytest.approx(4 / 6)
    assert fibrillation["negative_agreement"] == pytest.approx(6 / 8)
    assert fibrillation["kappa"] == pytest.approx((5 / 7 - 25 / 49) / (1 - 25 / 49))
    assert fibrillation["kappa_low"] <= fibrillation["kappa"] <= fibrillation["kappa_high"]

    assert call("agreement", str(plus), *data, "--resamples", "50", "--seed", "3") == 0
    printed = capsys.readouterr().out
    assert "0.667 [" in next(line for line in printed.splitlines() if line.startswith("AF "))
    assert "percentile bootstrap over patients, 50 resamples, seed 3." in printed


def test_agreement_without_a_common_record_or_release(plus: Path) -> None:
    data = str(plus.parent / "data")
    pd.DataFrame({"ecg_id": [99], "statements": ["['NSR']"]}).to_csv(
        plus / "labels/12sl_statements.csv", index=False
    )
    with pytest.raises(UsageError, match="No record of ptb-xl here has a label of both readers"):
        call("agreement", str(plus), "--data", data)
    with pytest.raises(UsageError, match=r"12sl_statements.csv cannot be read"):
        call("agreement", str(plus / "labels"), "--data", data)


def test_tasks_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("tasks", "--json") == 0
    rows = {row["id"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["ptbxl-super"]["names"] == [f"PTBXL_{name}" for name in ("CD", "HYP", "MI", "NORM", "STTC")]
    assert (rows["code-six"]["folds"], rows["merl-csn"]["needs"]) == ("test only", "merl-splits/")
    assert call("tasks") == 0
    assert "PTB-XL, 12 rhythm statements" in capsys.readouterr().out


def test_a_task_brings_its_own_cohort(tmp_path: Path) -> None:
    for more in (("--cohort", "georgia"), ("--records", "all"), ("--source", "sph")):
        with pytest.raises(UsageError, match="--task brings its own cohort, folds and source"):
            call("run", "--task", "ptbxl-super", *more, "--data", str(tmp_path))
