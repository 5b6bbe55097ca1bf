"""Scores in bfloat16 where they are asked for, with what that costs; without that nothing changes."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmark.cli import app
from benchmark.config import Places
from benchmark.exchange.summarising import aggregate_of
from benchmark.models.plugins import find_model
from benchmark.models.worker.environments import Deadlines, Interpreter, WorkerEnvironment
from benchmark.progress import Reporter
from benchmark.protocols.hardware import Hardware
from benchmark.protocols.harmonise import PreparedRecords
from benchmark.records.measuring import RunSettings
from benchmark.records.predictions import load_predictions
from benchmark.records.record import ResultRecord, load_record, save_record
from benchmark.records.resamples import load_resamples, resamples_path
from benchmark.records.verification import verify
from benchmark.report.writing import write_report
from benchmark.run.cohorts import labelled, prepare_cohort
from benchmark.run.elsewhere import answer, pack
from benchmark.run.engines import begin
from benchmark.run.explaining import explain
from benchmark.run.planning import make_plan
from benchmark.run.reopening import reopen
from benchmark.run.runner import Outcome
from benchmark.run.runner import run as run_cells
from benchmark.run.states import RunOptions
from cohorts.errors import LeadboardError
from tests.benchmark.run.sharded import Heard
from tests.benchmark.tiny_run import NOISY, make_places

MODEL = """
import torch

class Net:
    card = {"name": "net", "outputs": ["AF", "LVH"], "trained_on": [], "input": {"sampling_rate": 100}}
    bfloat16 = True

    def __init__(self):
        torch.manual_seed(0)
        self.layers = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12000, 8))
        self.last = torch.nn.Linear(8, 2)

    def predict(self, batch):
        with torch.no_grad():
            return self.last(self.layers(torch.from_numpy(batch.signals)))

class Embedding(Net):
    card = {**Net.card, "name": "embedding", "outputs": []}

    def embed(self, batch):
        with torch.no_grad():
            return self.layers(torch.from_numpy(batch.signals))

class Silent(Net):
    card = {**Net.card, "name": "silent"}
    bfloat16 = False
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    make_places(folder)
    (folder / "net.py").write_text(MODEL)
    (folder / "noisy.py").write_text(NOISY)
    return folder


def asking(home: Path, name: str, out: str, **more: Any) -> RunOptions:
    file = "noisy.py" if name == "Noisy" else "net.py"
    return RunOptions(
        home / out,
        Places(home / "data", home / "cache"),
        RunSettings(resamples=50),
        Hardware("cpu", workers=1),
        models=[f"{home / file}:{name}"],
        cohorts=["georgia"],
        protocols=["linear-probe-100"] if name == "Embedding" else (),
        **more,
    )


def run(home: Path, name: str, out: str, **more: Any) -> Outcome:
    return run_cells(asking(home, name, out, **more), Reporter(quiet=True))


def cell(home: Path, out: str) -> tuple[ResultRecord, pd.DataFrame]:
    (path,) = (home / out).glob("*/*/georgia.json")
    return load_record(path), load_predictions(path.with_suffix(".parquet"))[0]


def scores_of(table: pd.DataFrame) -> Any:
    return table.drop(columns="record_id").to_numpy(np.float32)


@pytest.fixture(scope="module")
def whole(home: Path) -> str:
    for name in ("Net", "Embedding"):
        assert not run(home, name, f"whole-{name}").failed
    return "whole"


@pytest.fixture(scope="module")
def lower(home: Path) -> str:
    for name in ("Net", "Embedding"):
        assert not run(home, name, f"lower-{name}", precision="bf16").failed
    return "lower"


def test_scores_that_nobody_wants_otherwise_are_the_model_s_own_to_the_bit(home: Path, whole: str) -> None:
    record, table = cell(home, f"{whole}-Net")
    source = find_model(f"{home / 'net.py'}:Net")
    store = prepare_cohort("georgia", Places(home / "data", home / "cache"), Reporter(quiet=True))
    rows = np.arange(len(store))
    (batch,) = PreparedRecords(store, rows, source.card.input).batches(64)
    expected: Any = source.build("cpu").predict(batch)
    np.testing.assert_array_equal(scores_of(table), expected.numpy())
    assert (record.provenance.dtype, record.provenance.rounding) == ("float32", None)


@pytest.mark.parametrize("name", ["Net", "Embedding"])
def test_the_record_states_what_bfloat16_has_moved(home: Path, whole: str, lower: str, name: str) -> None:
    (before, in_whole), (record, in_lower) = cell(home, f"{whole}-{name}"), cell(home, f"{lower}-{name}")
    away = np.abs(scores_of(in_lower).astype(np.float64) - scores_of(in_whole))
    rounding = record.provenance.rounding
    assert rounding is not None
    assert record.provenance.dtype == "bfloat16"
    assert rounding.records == len(in_lower) == 40
    assert 1e-5 < rounding.largest < 0.05
    assert rounding.largest == pytest.approx(away.max(), rel=1e-3)
    assert rounding.mean == pytest.approx(away.mean(), rel=1e-3)
    assert record.key != before.key
    assert record.weights_sha256 == before.weights_sha256, "what it learns is learnt in float32"
    assert record.provenance.thresholds.predictions_sha256 != before.provenance.thresholds.predictions_sha256


def test_records_are_compared_up_to_a_number(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.protocols.precision.COMPARED", 7)
    assert not run(home, "Net", "seven", precision="bf16").failed
    rounding = cell(home, "seven")[0].provenance.rounding
    assert rounding is not None
    assert rounding.records == 7


@pytest.mark.parametrize("name", ["Net", "Embedding"])
def test_each_precision_has_results_of_its_own(
    home: Path, whole: str, lower: str, name: str, tmp_path: Path
) -> None:
    out = str(shutil.copytree(home / f"{whole}-{name}", tmp_path / "run"))
    assert run(home, name, out).computed == 0
    assert run(home, name, out, precision="bf16").computed == 1
    assert scores_of(cell(home, out)[1]).tobytes() == scores_of(cell(home, f"{lower}-{name}")[1]).tobytes()
    assert run(home, name, out, precision="bf16").computed == 0
    assert run(home, name, out).computed == 1
    assert scores_of(cell(home, out)[1]).tobytes() == scores_of(cell(home, f"{whole}-{name}")[1]).tobytes()


def test_metrics_are_made_again_without_asking_again(home: Path, lower: str, tmp_path: Path) -> None:
    out = str(shutil.copytree(home / f"{lower}-Net", tmp_path / "run"))
    options = asking(home, "Net", out, precision="bf16")
    changed = RunOptions(**{**vars(options), "settings": RunSettings(resamples=60)})
    before = cell(home, out)[0].provenance
    assert run_cells(changed, Reporter(quiet=True)).computed == 1
    assert cell(home, out)[0].provenance == before


@pytest.mark.parametrize("name", ["Silent", "Noisy"])
def test_it_does_not_apply_to_a_model_that_does_not_say_so(home: Path, name: str, tmp_path: Path) -> None:
    assert not run(home, name, str(tmp_path / "run")).failed
    plan = make_plan(asking(home, name, str(tmp_path / "run"), precision="bf16"), Reporter(quiet=True))
    assert not plan.to_do, "its scores in float32 are those that were asked for"
    heard = Heard()
    run_cells(asking(home, name, str(tmp_path / "run"), precision="bf16"), heard)
    (said,) = (line for line in heard.lines if "asked in float32" in line)
    assert said.strip().startswith(f"{name.lower()} asked in float32: --precision bf16 is for networks of")


def test_it_does_not_apply_in_a_worker(home: Path) -> None:
    there = WorkerEnvironment(Interpreter(sys.executable), Deadlines())
    assert find_model(f"{home / 'net.py'}:Net").bfloat16
    assert not find_model(f"{home / 'net.py'}:Net", there).bfloat16


def test_another_process_asks_in_the_same_precision(
    home: Path, lower: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    plan = make_plan(asking(home, "Net", str(tmp_path / "run"), precision="bf16"), Reporter(quiet=True))
    begin(plan)
    packed = pack(plan.tasks[0], plan, plan.options.hardware, scored=False)
    found = answer(packed, Reporter(quiet=True)).predictions
    assert found is not None
    record, table = cell(home, f"{lower}-Net")
    pd.testing.assert_frame_equal(found.table, table)
    assert found.provenance.rounding == record.provenance.rounding


def test_verify_takes_it_and_notices_what_does_not_go_together(
    home: Path, lower: str, tmp_path: Path
) -> None:
    folder = shutil.copytree(home / f"{lower}-Net", tmp_path / "run")
    stores = labelled(Places(home / "data", home / "cache"), Reporter(quiet=True))
    found = verify(folder, stores)
    assert not found.differences
    path = folder / "net/as-is/georgia.json"
    record = load_record(path)
    made, rounding = record.provenance, record.provenance.rounding
    assert rounding is not None
    for changes, words in (
        ({"rounding": None}, "has scores in bfloat16 without a difference"),
        ({"dtype": "float32"}, "has scores in float32 and a difference"),
        ({"rounding": rounding.model_copy(update={"mean": 1.0})}, "do not go together"),
        ({"rounding": rounding.model_copy(update={"records": 41})}, "more records than were scored"),
    ):
        save_record(record.model_copy(update={"provenance": made.model_copy(update=changes)}), path)
        assert any(words in str(one) for one in verify(folder, stores).differences), words


def test_pages_and_the_chain_of_a_number_say_it(
    home: Path, lower: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(home / f"{lower}-Net", tmp_path / "run")
    write_report(folder)
    html, rounding = (folder / "leaderboard.html").read_text(), cell(home, str(folder))[0].provenance.rounding
    assert rounding is not None
    assert "Lower precision: absolute differences of scores from those in float32" in html
    assert json.dumps(rounding.sentence)[1:-1] in html
    assert "absolute differences" in (folder / "leaderboard.md").read_text()
    assert "cpu, bfloat16" in html
    words = ["net", "georgia", "AF", "--data", str(home / "data"), "--cache", str(home / "cache")]
    app(["explain", str(folder), *words], exit_on_error=False, result_action="return_value")
    said = " ".join(capsys.readouterr().out.split())
    assert "cpu in bfloat16" in said
    assert rounding.sentence in said


def test_figures_that_leave_a_hospital_say_it_too(home: Path, whole: str, lower: str) -> None:
    for out, said in ((f"{whole}-Net", None), (f"{lower}-Net", "bfloat16")):
        record, _ = cell(home, out)
        resampled = load_resamples(record, resamples_path(home / out / "net/as-is/georgia.json"))
        assert aggregate_of(record, resampled, 10, b"key").software.get("scores in") == said


def test_a_map_is_of_scores_in_float32_as_near_as_the_record_says(home: Path, lower: str) -> None:
    record, table = cell(home, f"{lower}-Net")
    places = Places(home / "data", home / "cache")
    spec = f"{home / 'net.py'}:Net"
    again = reopen(record, spec, places, Hardware("cpu", workers=1), Reporter(quiet=True))
    assert again.model.precision == "float32"
    name = str(table["record_id"].iloc[0])
    assert explain(again, home / f"{lower}-Net", "AF", name)
    rounding = record.provenance.rounding
    assert rounding is not None
    strict = rounding.model_copy(update={"largest": 0.0, "mean": 0.0})
    provenance = record.provenance.model_copy(update={"rounding": strict})
    again = reopen(
        record.model_copy(update={"provenance": provenance}),
        spec,
        places,
        Hardware("cpu", workers=1),
        Reporter(quiet=True),
    )
    far = int(np.argmax(np.abs(scores_of(table)[:, 0] - scores_of(cell(home, "whole-Net")[1])[:, 0])))
    with pytest.raises(LeadboardError, match="it is another model now"):
        explain(again, home / f"{lower}-Net", "AF", str(table["record_id"].iloc[far]))


def test_predict_says_how_far_scores_moved(
    home: Path, whole: str, lower: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def predicted(name: str, *words: str) -> pd.DataFrame:
        out = tmp_path / f"{name}.parquet"
        model = f"{home / 'net.py'}:{name}"
        options = ["--cohort", "georgia", "--data", str(home / "data"), "--cache", str(home / "cache")]
        app(
            ["predict", model, "--out", str(out), "--device", "cpu", *options, *words],
            exit_on_error=False,
            result_action="return_value",
        )
        return pd.read_parquet(out)

    pd.testing.assert_frame_equal(predicted("Net"), cell(home, f"{whole}-Net")[1])
    assert "float32" not in capsys.readouterr().out
    pd.testing.assert_frame_equal(predicted("Net", "--precision", "bf16"), cell(home, f"{lower}-Net")[1])
    rounding = cell(home, f"{lower}-Net")[0].provenance.rounding
    assert rounding is not None
    assert rounding.sentence in capsys.readouterr().out
    predicted("Silent", "--precision", "bf16")
    assert "silent asked in float32: --precision bf16 is for" in capsys.readouterr().out


LEARNER = """
class Learner:
    card = {"name": "learner", "outputs": [], "trained_on": []}
    bfloat16 = True

    def fit(self, training, validation, settings):
        self.card = {**self.card, "outputs": list(settings.concepts)}
        self.precision = settings.precision

    def save(self, folder):
        (folder / "precision.txt").write_text(" ".join([self.precision, *self.card["outputs"]]))

    def load(self, folder):
        self.precision, *outputs = (folder / "precision.txt").read_text().split()
        self.card = {**self.card, "outputs": outputs}

    def predict(self, batch):
        return batch.signals.std(axis=(1, 2))[:, None] + [0.0] * len(self.card["outputs"])
"""


def test_a_model_trains_in_the_precision_that_its_record_states(home: Path, tmp_path: Path) -> None:
    (tmp_path / "learner.py").write_text(LEARNER)
    places, spec = Places(home / "data", tmp_path / "cache"), f"{tmp_path / 'learner.py'}:Learner"

    def learnt(out: str, **more: Any) -> tuple[ResultRecord, list[str]]:
        options = RunOptions(
            tmp_path / out,
            places,
            RunSettings(resamples=50),
            Hardware("cpu", workers=1),
            models=[spec],
            cohorts=["georgia"],
            **more,
        )
        assert not run_cells(options, Reporter(quiet=True)).failed
        weights = (tmp_path / "cache/models/learner").rglob("precision.txt")
        return cell(tmp_path, out)[0], sorted(path.read_text().split()[0] for path in weights)

    usual, trained = learnt("usual")
    assert (usual.training[0].precision, trained) == ("32-true", ["32-true"])
    lower, trained = learnt("lower", training_precision="bf16-mixed")
    assert (lower.training[0].precision, trained) == ("bf16-mixed", ["32-true", "bf16-mixed"])
    assert lower.training[0].key != usual.training[0].key
    for record in (usual, lower):
        again = reopen(record, spec, places, Hardware("cpu", workers=1), Reporter(quiet=True))
        (fit,) = again.model.fits
        assert fit.key == record.training[0].key
        assert fit.artifact.done
