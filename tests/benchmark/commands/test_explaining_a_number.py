"""``leadboard explain``: the chain of one number, against plain pandas, scikit-learn and ``verify``."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from benchmark.cli import app
from benchmark.config import Places
from benchmark.models.model_card import InputSpec
from benchmark.progress import Reporter
from benchmark.protocols.hardware import Hardware
from benchmark.records.predictions import load_predictions
from benchmark.records.record import load_record
from benchmark.report.chain.number import number_link
from benchmark.report.chain.signals import signals_link
from benchmark.run.runner import run as run_cells
from benchmark.run.states import RunOptions
from cohorts.errors import UsageError
from tests.benchmark.tiny_run import NOISY, SETTINGS, edit_json, make_places, make_run
from tests.cohorts.own_hospital import COLUMNS, FILES, HEAD, ID, PEOPLE, known, table, write
from tests.releases import make_signal, write_record


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return make_places(tmp_path_factory.mktemp("places"))


@pytest.fixture(scope="module")
def run(places: Places) -> Path:
    assert places.data is not None
    return make_run(places.data.parent, places)


@pytest.fixture(autouse=True)
def _nothing_but_the_options(tmp_path: Path, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LEADBOARD_DATA", raising=False)
    monkeypatch.setenv("LEADBOARD_CACHE", str(places.cache))


def call(*words: object, code: int = 0) -> None:
    answer = app([*map(str, words)], exit_on_error=False, print_error=False, result_action="return_value")
    assert answer == code


def explained(capsys: pytest.CaptureFixture[str], run: Path, *words: object, code: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    call("explain", run, *words, "--json", code=code)
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def stated_in(data: Path) -> pd.DataFrame:
    """Read PTB-XL's own table with nothing but pandas."""
    table = pd.read_csv(data / "ptb-xl/ptbxl_database.csv", index_col="ecg_id")
    return table.assign(codes=[set(eval(cell)) for cell in table["scp_codes"]])


def test_counts_and_auroc_are_those_of_plain_pandas_and_scikit_learn(
    run: Path, places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    assert places.data is not None
    found = explained(capsys, run, "noisy", "ptb-xl", "AF", "--data", places.data)
    table = stated_in(places.data)
    fibrillating = np.array(["AFIB" in codes for codes in table["codes"]])
    assert (found["records"]["found"], found["records"]["scored"]) == (len(table), len(table))
    labels = found["labels"]
    assert (labels["positive"], labels["negative"], labels["unknown"]) == (
        fibrillating.sum(),
        (~fibrillating).sum(),
        0,
    )
    [code] = [row for row in labels["codes"] if row["code"] == "AFIB"]
    assert (code["records"], code["positive"], code["rows"][0]["concept"]) == (fibrillating.sum(),) * 2 + (
        "AF",
    )
    scores = pd.read_parquet(run / "noisy/as-is/ptb-xl.parquet").set_index("record_id")["AF"]
    truth = pd.Series(fibrillating, index=[str(name) for name in table.index])
    auroc = roc_auc_score(truth[scores.index], scores)
    assert found["number"]["auroc"]["value"] == pytest.approx(auroc, abs=1e-12)
    assert found["number"]["again"]["auroc"] == pytest.approx(auroc, abs=1e-12)
    assert (found["number"]["n"], found["number"]["positives"]) == (len(table), fibrillating.sum())
    assert found["differs"] == []
    assert found["predictions"]["as_measured"] is True
    assert found["signals"]["rates"] == [
        {
            "Hz": 500.0,
            "records": len(table),
            "seconds": "10",
            "resampled": "no",
            "windows each": "1",
            "filled up": 0,
            "cut": 0,
        }
    ]


def test_the_printed_chain_and_its_verify_command(
    run: Path, places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    call("explain", run, "noisy", "georgia", "AF", "--data", places.data)
    said = capsys.readouterr().out
    titles = re.findall(r"^\d\. (.+)$", said, re.MULTILINE)
    page = (Path(__file__).parents[3] / "docs/explaining.md").read_text(encoding="utf-8")
    assert titles == re.findall(r"^\| ([A-Z][\w ,]+) \| ", page.split("| finding |")[0], re.MULTILINE)
    assert len(titles) == 9
    assert "164889003" in said
    assert "DIFFERS" not in said
    verify = shlex.split(said.splitlines()[-1])
    assert verify[:2] == ["leadboard", "verify"]
    call(*verify[1:])
    assert " 0 differ, 0 could not be made." in capsys.readouterr().out


def test_without_the_release_the_run_folder_says_what_it_knows(
    run: Path, places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    call("explain", run, "noisy", "georgia", "AF")
    said = capsys.readouterr().out
    assert "need it (--data)" in " ".join(said.split())
    found = explained(capsys, run, "noisy", "georgia", "AF")
    assert "labels" not in found
    assert found["needs"] == "no"
    assert found["number"]["again"] is None
    whole = explained(capsys, run, "noisy", "georgia", "AF", "--data", places.data)
    for link in ("records", "weights", "training", "predictions", "versions"):
        assert found[link] == whole[link]


def test_one_recording(run: Path, places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("noisy", "georgia", "AF", "--record", "E00002", "--no-map")
    found = explained(capsys, run, *words, "--data", places.data)
    assert found["statements"]["label"] == "positive"
    says = {row["code"]: row["says of it"] for row in found["statements"]["statements"]}
    assert says == {"164889003": "same AF", "164873001": "nothing"}
    assert found["statements"]["sources"][0]["because"] == "a code says yes (164889003)"
    assert (found["signal"]["samples"], found["signal"]["windows"]) == (5000, 1)
    scores, _ = load_predictions(run / "noisy/as-is/georgia.parquet")
    by_hand = scores.set_index("record_id")["AF"].astype(float)
    assert found["score"]["score"] == by_hand["E00002"]
    assert found["score"]["rank"] == int(by_hand.rank(ascending=False, method="min")["E00002"])
    ids = by_hand.index[by_hand > by_hand["E00002"]]
    assert found["score"]["negative_above"] == sum(int(name[1:]) % 2 == 1 for name in ids)
    assert found["score"]["negative_others"] == 20
    assert found["score"]["positive_others"] == 19
    place = run / "explanations/noisy/as-is/georgia/AF"
    assert found["said"] == [f"Drawn: {place / 'E00002-sheet.png'}"]
    assert (place / "E00002-sheet.png").stat().st_size > 10_000
    alone = explained(capsys, run, *words)
    assert alone["score"]["rank"] == found["score"]["rank"]
    assert "statements" not in alone
    with pytest.raises(UsageError, match="nobody is none of the 40 records of georgia that were scored"):
        call("explain", run, "noisy", "georgia", "AF", "--record", "nobody", "--no-map")


def test_what_is_not_as_measured_is_said(
    run: Path, places: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = shutil.copytree(run, tmp_path / "run")

    def more(record: Any) -> None:
        record["evaluation"]["concepts"]["AF"]["positives"] += 1
        record["evaluation"]["concepts"]["AF"]["auroc"]["value"] = 0.99

    edit_json(run / "noisy/as-is/georgia.json", more)
    found = explained(capsys, run, "noisy", "georgia", "AF", "--data", places.data, code=1)
    assert [sentence.split(" of ")[0] for sentence in found["differs"]] == [
        "The run has 21 positives and 19 negatives",
        "The run has an AUROC",
    ]
    (run / "noisy/as-is/georgia.parquet").write_bytes(b"nothing")
    found = explained(capsys, run, "noisy", "georgia", "AF", "--data", places.data, code=1)
    assert "cannot be read" in found["differs"][0]


def test_another_state_of_the_release_counts_nothing(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = make_places(tmp_path / "other")
    assert other.data is not None
    for path in (other.data / "challenge-2021/training/georgia/g1").glob("E0004*"):
        path.unlink()
    found = explained(capsys, run, "noisy", "georgia", "AF", "--data", other.data, "--cache", other.cache)
    assert found["needs"] == "no: what is here has another state of the release"
    assert "labels" not in found


def test_of_a_private_cohort_nothing_is_said_of_a_record_that_was_not_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "hospital", table(), HEAD + PEOPLE + FILES + COLUMNS)
    for number in range(1, 6):  # one recording is missing
        write_record(tmp_path / "hospital/ecg", f"{number:03d}", make_signal(number, 5000, 1.0), 500)
    (tmp_path / "noisy.py").write_text(NOISY)
    places = Places(None, tmp_path / "cache")
    with known(file):
        model = f"{tmp_path / 'noisy.py'}:Noisy"
        options = RunOptions(tmp_path / "run", places, SETTINGS, Hardware(), models=(model,), cohorts=(ID,))
        assert not run_cells(options, Reporter()).failed
        words = ("noisy", ID, "AF", "--cohort-file", file, "--cache", places.cache)
        found = explained(capsys, tmp_path / "run", *words)
        call("explain", tmp_path / "run", *words)
        said = capsys.readouterr().out
    assert "may not be passed on" in said
    assert (found["labels"]["positive"], found["labels"]["negative"], found["labels"]["unknown"]) == (1, 2, 2)
    assert found["records"]["found"] - found["records"]["scored"] == 1
    for text in (said, json.dumps(found)):
        assert not re.search(r"E00\d|\b10[1-3]\b|2020-01", text)


def test_several_fits_are_averaged_and_undefined_stays_undefined(run: Path) -> None:
    record = load_record(run / "noisy/as-is/georgia.json")
    labels = np.array([0, 1] * 10 + [-1], np.int8)
    draw = np.random.default_rng(0)
    fits = [pd.Series(draw.random(21, np.float32)) for _ in range(3)]
    link = number_link(record, "AF", labels, fits)
    by_hand = np.mean([roc_auc_score(labels[:20], fit[:20]) for fit in fits])
    assert link.facts["again"]["auroc"] == pytest.approx(by_hand, abs=1e-12)
    assert any("NOT the same" in text for _, text in link.lines)
    assert len(link.differs) == 2
    single = number_link(record, "AF", np.zeros(21, np.int8), fits)
    assert single.facts["again"] == {"auroc": None, "auprc": None}
    assert "predictions and labels give undefined" in single.differs[0]


@pytest.mark.parametrize(
    ("seconds", "rate", "policy", "windows", "filled", "cut"),
    [
        (5, 500, "first", "1", 1, 0),
        (10, 257, "first", "1", 0, 0),
        (12, 500, "first", "1", 0, 1),
        (30, 400, "windows", "3", 0, 0),
        (36, 500, "windows", "4", 1, 0),
        (34, 500, "windows", "3", 0, 1),
    ],
)
def test_windows_are_counted(
    seconds: int, rate: int, policy: str, windows: str, filled: int, cut: int, run: Path
) -> None:
    record = load_record(run / "noisy/as-is/georgia.json")
    spec = InputSpec.model_validate({"sampling_rate": 100, "long_records": policy, "unit": "uV"})
    card = record.model.model_copy(update={"input": spec})

    class Lengths:
        rates = np.array([float(rate)])
        lengths = np.array([seconds * rate])

    link = signals_link(record.model_copy(update={"model": card}), Lengths(), np.array([0]))  # type: ignore[arg-type]
    [row] = link.facts["rates"]
    assert (row["windows each"], row["filled up"], row["cut"]) == (windows, filled, cut)
    ratio = Fraction(100, rate)
    assert row["resampled"] == f"polyphase, {ratio.numerator}/{ratio.denominator}"
    assert link.facts["scale"] == pytest.approx(1000)
