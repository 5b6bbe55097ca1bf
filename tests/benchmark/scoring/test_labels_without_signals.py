"""``score --cohort`` where the annotation files of a release are here, and its signals are not."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from benchmark.cli import app
from benchmark.config import Places
from benchmark.progress import Reporter
from benchmark.records.measuring import SIGNALS_NOT_READ
from benchmark.run.cohorts import labelled_index, prepare_cohort
from benchmark.scoring.prediction_files import match, read_prediction_file
from cohorts.errors import UsageError
from cohorts.labelled import signals_read
from tests.benchmark.tiny_run import make_places

KNOWN = [0.99423386, 0.99907277, 1.0, 0.99745684, 0.99744850, 0.99856312]
"""AUROCs of the published scores on CODE-test, computed with scikit-learn."""
CLASSES = ["IAVB", "RBBB", "LBBB", "SB", "AF", "STach"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEADBOARD_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LEADBOARD_DATA", raising=False)
    return tmp_path


def call(*arguments: str) -> int:
    code = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    assert isinstance(code, int)
    return code


def published(shared: Path, file: Path) -> pd.DataFrame:
    scores = pd.read_csv(shared / "known_answers/code_test_dnn_scores.csv").set_axis(CLASSES, axis=1)
    scores.insert(0, "record_id", [f"{row:03d}" for row in range(len(scores))])
    scores.to_csv(file, index=False)
    return scores


def test_code_test_gives_the_known_answers_without_a_tracing(
    shared: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    published(shared, home / "p.csv")
    data = ("--data", str(shared / "data"))
    few = ("--resamples", "20", "--name", "dnn", "--out", "run", "--json")
    assert call("score", "p.csv", "--cohort", "code-test", *few, *data) == 0
    out, told = capsys.readouterr()
    assert "ecg_tracings.hdf5 is not there); scoring with the annotation files alone." in told
    assert SIGNALS_NOT_READ in told
    record = json.loads(out)
    values = [record["evaluation"]["concepts"][name]["auroc"]["value"] for name in CLASSES]
    assert values == pytest.approx(KNOWN, abs=5e-9)
    assert record["records"] == {
        "selection": "all",
        "found": 827,
        "scored": 827,
        "unselected": 0,
        "quarantined": [],
    }
    assert SIGNALS_NOT_READ in record["evaluation"]["notes"]
    assert not signals_read(record["cohort"]["fingerprint"])

    assert call("verify", "run", *data) == 0
    assert capsys.readouterr().out.endswith(" checks agree, 0 differ, 0 could not be made.\n")
    Path("run/dnn/predictions/code-test.json").write_text(
        json.dumps(record).replace(SIGNALS_NOT_READ, "All signals were looked at.")
    )
    assert call("verify", "run", *data) == 1


def test_ids_of_the_cohort_are_shown_though_no_record_of_it_can_be_used(home: Path) -> None:
    pd.DataFrame({"record_id": ["0", "1", "002"], "AF": [0.1, 0.2, 0.3]}).to_csv("p.csv", index=False)
    table = read_prediction_file(Path("p.csv"), ["AF"])
    with pytest.raises(UsageError, match=r"2 of 3 records .* its ids are like 000, 001, 002\.$"):
        match(table, ["000", "001", "002", "003"], pd.Index([]), "fingerprint", "code-test")


def test_a_few_signals_of_a_release_are_enough_for_the_usual_way_unless_asked_otherwise(
    shared: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = Places(shared / "data", home / "cache")
    whole = labelled_index("sph", places)
    assert (len(whole), len(prepare_cohort("sph", places, Reporter()))) == (25_770, 8)
    ids = whole.index["record_id"]
    pd.DataFrame({"record_id": ids, "AF": range(len(ids))}).to_csv("p.csv", index=False)
    common = ("score", "p.csv", "--cohort", "sph", "--data", str(shared / "data"), "--name", "mine")
    for more, scored in ((("--labels-only",), 25_770), ((), 8)):
        assert call(*common, "--resamples", "2", "--json", "--out", f"run{scored}", *more) == 0
        assert json.loads(capsys.readouterr().out)["records"]["scored"] == scored


def test_records_with_a_bad_signal_are_in_and_no_signal_is_read(tmp_path: Path) -> None:
    places = make_places(tmp_path)
    folder = next((tmp_path / "data").rglob("E00001.hea")).parent
    for signal in folder.glob("*.mat"):
        signal.unlink()
    whole = labelled_index("georgia", places)
    assert len(whole) == len(whole.labels) == 40
    assert not len(whole.quarantine)
    assert set(whole.labels["AF"]) == {0, 1}
