"""What can be imported from ``benchmark``: the command line's numbers, and one sentence for a wrong call."""

from __future__ import annotations

import doctest
import json
import logging
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu
from sklearn.metrics import average_precision_score, roc_auc_score

import benchmark
from benchmark import LeadboardError, Run, bootstrap_auroc, evaluate, load_run, score
from benchmark.cli import app
from benchmark.metrics import auroc
from benchmark.records import run as run_module
from benchmark.records.predictions import load_predictions
from benchmark.run import evaluating
from benchmark.scoring import score as score_module
from cohorts.catalogue import open_cohort
from cohorts.labelled import LabelledIndex
from tests.releases import write_challenge, write_ptb_xl

ROOT = Path(__file__).parents[2]
GOOD = f"{ROOT / 'tests/plugins/good.py'}:Amplitude"


class Weighted:
    """A model whose scores depend on what it was made with."""

    card = {"name": "weighted", "outputs": ["LVH", "AF"], "trained_on": []}

    def __init__(self, weight: float = 1.0) -> None:
        self.weight = weight

    def predict(self, batch: Any) -> np.ndarray:
        return self.weight * batch.signals.std(axis=2)[:, :2]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_ptb_xl(folder, records=40)
    write_challenge(folder)
    return folder


@pytest.fixture(autouse=True)
def _empty_home(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LEADBOARD_DATA", raising=False)
    monkeypatch.setenv("LEADBOARD_CACHE", str(data.parent / "cache"))


def command(*arguments: str) -> int:
    code = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    assert isinstance(code, int)
    return code


@pytest.fixture
def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Predictions and labels of 300 records of 120 patients, in different orders."""
    rng = np.random.default_rng(3)
    records = [f"{number:04d}" for number in range(300)]
    af = rng.integers(0, 2, 300)
    labels = pd.DataFrame(
        {
            "record_id": records,
            "patient_id": rng.integers(0, 120, 300).astype(str),
            "sex": rng.choice(["female", "male"], 300),
            "AF": af,
            "LVH": np.where(rng.random(300) < 0.2, np.nan, rng.random(300) < 0.1),
        }
    )
    scores = pd.DataFrame({"record_id": records, "AF": af + rng.normal(0, 2, 300), "LVH": rng.random(300)})
    return scores.sample(frac=1, random_state=1), labels


def test_the_package_is_imported_at_once() -> None:
    heavy = "import benchmark, sys; print({'torch', 'pandas', 'numpy', 'pydantic'} & {*sys.modules})"
    said = subprocess.run([sys.executable, "-c", heavy], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout == "set()\n"
    typed = re.findall(
        r"^from ([\w.]+) import (\w+) as \2$", (ROOT / "benchmark/__init__.pyi").read_text(), re.M
    )
    assert {name: place for place, name in typed} == benchmark._PLACES
    assert {*benchmark.__all__} < {*dir(benchmark)}
    assert all(getattr(benchmark, name) for name in benchmark.__all__)
    with pytest.raises(AttributeError, match="no attribute 'evaluat'"):
        benchmark.evaluat  # noqa: B018


def test_the_examples_run() -> None:
    for module in (auroc, score_module):
        assert doctest.testmod(module).failed == 0
        assert doctest.testmod(module).attempted > 2
    (example,) = [test for test in doctest.DocTestFinder().find(evaluating, extraglobs=None) if test.examples]
    runner = doctest.DocTestRunner()
    runner.run(example, clear_globs=False)
    assert runner.summarize().failed == 0
    found = doctest.testmod(run_module, extraglobs={"folder": example.globs["folder"]})
    assert (found.failed, found.attempted) == (0, 3)


def test_a_bootstrap_agrees_with_others_and_with_the_command_line(
    tables: tuple[pd.DataFrame, pd.DataFrame], capsys: pytest.CaptureFixture[str]
) -> None:
    scores, labels = (table.set_index("record_id").sort_index() for table in tables)
    found = bootstrap_auroc(labels["AF"], scores["AF"], labels["patient_id"], resamples=2000, seed=5)
    assert found.value == pytest.approx(roc_auc_score(labels["AF"], scores["AF"]), abs=1e-12)
    assert (found.n, found.positives, found.unit) == (300, labels["AF"].sum(), "patients")
    rng = np.random.default_rng(0)
    rows = {
        patient: np.flatnonzero(labels["patient_id"] == patient) for patient in labels["patient_id"].unique()
    }
    drawn = []
    truth, values = labels["AF"].to_numpy(), scores["AF"].to_numpy()
    for _ in range(500):
        picked = np.concatenate([rows[one] for one in rng.choice(list(rows), len(rows))])
        sick, well = values[picked][truth[picked] == 1], values[picked][truth[picked] == 0]
        drawn.append(mannwhitneyu(sick, well).statistic / (len(sick) * len(well)))
    assert (found.low, found.high) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.02)

    Path("p.csv").write_text(tables[0].to_csv(index=False))
    Path("l.csv").write_text(tables[1].to_csv(index=False))
    assert command("score", "p.csv", "--labels", "l.csv", "--resamples", "2000", "--seed", "5", "--json") == 0
    said = json.loads(capsys.readouterr().out)["concepts"]
    for concept in ("AF", "LVH"):
        one = bootstrap_auroc(labels[concept], scores[concept], labels["patient_id"], resamples=2000, seed=5)
        stated = said[concept]
        assert (one.value, one.low, one.high) == tuple(
            stated["auroc"][end] for end in ("value", "low", "high")
        )
        assert (one.n, one.positives) == (stated["n"], stated["positives"])


def test_labels_and_groups_may_come_in_many_kinds() -> None:
    scores = [0.1, 0.7, 0.35, 0.8, 0.5]
    plain = bootstrap_auroc([0, 0, 1, 1, -1], scores, ["a", "a", "b", "c", None], resamples=50)
    for labels in (
        [False, False, True, True, None],
        np.array([0, 0, 1, 1, np.nan]),
        pd.Series([0, 0, 1, 1, pd.NA]),
    ):
        assert bootstrap_auroc(labels, np.array(scores), [1, 1, 2, 3, None], resamples=50) == plain
    assert (plain.n, plain.positives) == (4, 2)
    none = bootstrap_auroc([1, 1], [0.1, 0.2], resamples=10)
    assert np.isnan([none.value, none.low, none.high]).all()
    assert none.reason == "no negative record"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (([0, 2], [1, 2]), "values other than 1, 0 and -1"),
        (([0, 1], [1, 2, 3]), r"labels \(2,\) and scores \(3,\)"),
        (([0, 1], [1, np.nan]), "1 of 2 scores of the column are NaN"),
        (([0, 1], ["a", "b"]), "are not numbers"),
        ((["x", "y"], [1, 2]), "labels are not numbers"),
        (([[0, 1]], [1, 2]), r"shape \(1, 2\); give one column"),
        (([0, 1], [[1], [2, 3]]), "scores are not one column of numbers"),
        (([0, 1], [1, 2], ["a"]), r"groups have shape \(1,\), but there are 2 labels"),
    ],
)
def test_a_wrong_column_is_answered_in_a_sentence(given: tuple[Any, ...], words: str) -> None:
    with pytest.raises(LeadboardError, match=words):
        bootstrap_auroc(*given, resamples=10)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"resamples": 0}, "resamples is 0; give a whole number from 1 to 20,000"),
        ({"resamples": 10**9}, "resamples is 1000000000"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": "0"}, "seed is '0'"),
        ({"seed": True}, "seed is True"),
    ],
)
def test_draws_out_of_range_are_refused_everywhere(more: dict[str, Any], words: str) -> None:
    empty = pd.DataFrame({"record_id": ["a"], "AF": [1]})
    for call in (lambda: bootstrap_auroc([0, 1], [0, 1], **more), lambda: score(empty, empty, **more)):
        with pytest.raises(LeadboardError, match=words):
            call()
    with pytest.raises(LeadboardError, match=words):
        evaluate(GOOD, **more)


@pytest.mark.parametrize(
    ("seeds", "words"),
    [
        ([0, -1], "seed is -1"),
        ([0, 1, 0], r"seed is \[0, 1, 0\]: Seed 0 is there twice"),
        ([], r"seed is \[\]: Give one at least"),
        (range(31), r"seed is range\(0, 31\): Must be at most 30 seeds"),
    ],
)
def test_seeds_that_cannot_be(seeds: Any, words: str) -> None:
    with pytest.raises(LeadboardError, match=words):
        evaluate(GOOD, seed=seeds)


def test_a_table_and_its_file_are_scored_alike(
    tables: tuple[pd.DataFrame, pd.DataFrame], capsys: pytest.CaptureFixture[str]
) -> None:
    scores, labels = tables
    found = score(scores, labels, resamples=100, seed=2, subgroups=["sex"])
    scores.to_parquet("p.parquet", index=False)
    Path("l.csv").write_text(labels.to_csv(index=False))
    assert score("p.parquet", Path("l.csv"), resamples=100, seed=2, subgroups=["sex"]) == found
    assert score(scores.set_index("record_id"), labels, resamples=100, seed=2, subgroups=["sex"]) == found
    arguments = ("--resamples", "100", "--seed", "2", "--subgroup", "sex", "--json")
    assert command("score", "p.parquet", "--labels", "l.csv", *arguments) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(found.model_dump_json())

    frame = found.to_frame()
    assert list(frame.columns[:7]) == ["concept", "metric", "value", "low", "high", "n", "positives"]
    assert frame[["concept", "metric"]].to_numpy().tolist() == [
        [concept, metric] for concept in ("AF", "LVH") for metric in ("auroc", "auprc")
    ]
    joined = labels.merge(scores, on="record_id", suffixes=("", "_score"))
    for concept, metric, value, n, positives in frame[
        ["concept", "metric", "value", "n", "positives"]
    ].itertuples(index=False):
        rows = joined[joined[concept].notna()]
        oracle = {"auroc": roc_auc_score, "auprc": average_precision_score}[metric]
        truth = rows[concept].astype(int)
        assert value == pytest.approx(oracle(truth, rows[f"{concept}_score"]), abs=1e-12)
        assert (n, positives) == (len(rows), truth.sum())


@pytest.mark.parametrize(
    ("scores", "labels", "words"),
    [
        (
            {"AF": [1.0]},
            {"record_id": ["a"], "AF": [1]},
            r"predictions \(DataFrame\) has no column record_id",
        ),
        ({"record_id": ["a"], "AF": [1.0]}, {"record_id": ["b"], "AF": [1]}, r"labels \(DataFrame\)"),
        ({"record_id": ["a"], "AF": ["x"]}, {"record_id": ["a"], "AF": [1]}, "not numbers"),
        ({"record_id": ["a"], "AF": [1.0]}, {"record_id": ["a"], "AF": [-1]}, "'-1' in column 'AF'"),
        ({"record_id": ["a"], "AF": [[1, "x"]]}, {"record_id": ["a"], "AF": [1]}, "cannot be read"),
        ({"record_id": [], "AF": []}, {"record_id": [], "AF": []}, "has a header but no rows"),
    ],
)
def test_a_wrong_table_is_answered_in_a_sentence(scores: dict, labels: dict, words: str) -> None:
    with pytest.raises(LeadboardError, match=words):
        score(pd.DataFrame(scores), pd.DataFrame(labels), resamples=10)


def test_a_run_from_python_is_the_run_of_the_command_line(data: Path, tmp_path: Path) -> None:
    run = evaluate(GOOD, data, out="python", resamples=50, seed=7, quiet=True)
    options = ("--resamples", "50", "--seed", "7", "--model", GOOD, "--data", str(data))
    assert command("run", *options, "--out", "typed") == 0
    table = run.to_frame(macro=True)
    csv = pd.read_csv("typed/leaderboard.csv", dtype={"reason": "str"})
    pd.testing.assert_frame_equal(table, csv, check_dtype=False, check_exact=True)
    pd.testing.assert_frame_equal(load_run("typed").to_frame(), run.to_frame(), check_exact=True)
    assert list(run.to_frame().columns[:9]) == [
        *("model", "protocol", "cohort", "concept", "metric", "value", "low", "high", "n")
    ]
    assert repr(run) == "<Run python: 2 of 2 cells>"
    assert [record.cohort.id for record in run] == ["georgia", "ptb-xl"] or len(run) == 2

    scores, _ = load_predictions(tmp_path / "python/amplitude/as-is/georgia.parquet")
    cohort = open_cohort("georgia", data)
    assert cohort is not None
    release = LabelledIndex(cohort)
    truth = release.labels["AF"].set_axis(release.index["record_id"]).loc[scores["record_id"]]
    (row,) = (
        run.to_frame()
        .query("cohort == 'georgia' and concept == 'AF' and metric == 'auroc'")
        .to_dict("records")
    )
    kept = (truth >= 0).to_numpy()
    assert row["value"] == pytest.approx(roc_auc_score(truth[kept], scores["AF"][kept]), abs=1e-12)
    assert (row["n"], row["positives"]) == (kept.sum(), (truth == 1).sum())


def test_an_object_is_never_taken_for_the_one_before_it(data: Path) -> None:
    def areas(run: Run) -> list[float]:
        return run.to_frame().query("metric == 'auroc'")["value"].tolist()

    def asked(model: Any, **more: Any) -> list[float]:
        return areas(evaluate(model, data, cohorts="georgia", out="run", resamples=20, quiet=True, **more))

    up = asked(Weighted(1.0))
    assert asked(Weighted(-1.0)) == pytest.approx([1 - area for area in up], abs=1e-12)
    assert asked([Weighted, GOOD])[:2] == up
    assert len(load_run("run")) == 2


def test_what_evaluate_says_and_leaves(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = logging.getLogger("leadboard")
    before = list(log.handlers), log.level, log.propagate
    evaluate(GOOD, data, cohorts=["georgia"], out="run", resamples=20)
    assert "1 cell, 1 to compute" in capsys.readouterr().err
    evaluate(GOOD, data, cohorts=["georgia"], out="run", resamples=20, quiet=True)
    assert capsys.readouterr() == ("", "")
    assert (list(log.handlers), log.level, log.propagate) == before


class Failing(Weighted):
    card = Weighted.card | {"name": "failing"}

    def predict(self, batch: Any) -> np.ndarray:
        raise RuntimeError("out of luck")


def test_a_cell_that_failed_is_said_and_the_others_are_kept(data: Path) -> None:
    with pytest.raises(
        LeadboardError, match=r"failing on georgia: .*out of luck.* What was computed is in run"
    ):
        evaluate([Failing(), Weighted()], data, cohorts="georgia", out="run", resamples=20, quiet=True)
    run = load_run("run")
    assert [record.model.name for record in run] == ["weighted"]
    assert [cell.model for cell in run.failures] == ["failing"]
    assert repr(run) == "<Run run: 1 of 2 cells, 1 failed>"


class Learner(Weighted):
    card = Weighted.card | {"name": "learner", "outputs": []}

    def fit(self, *_: Any) -> None: ...

    def save(self, *_: Any) -> None: ...

    def load(self, *_: Any) -> None: ...


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"model": "amplitud"}, "Unknown model 'amplitud'"),
        ({"model": 5}, "int has no 'card' and no 'predict'; a model has both"),
        ({"model": None}, "NoneType has no 'card' and no 'predict'"),
        ({"model": []}, "No model was given"),
        ({"model": Learner()}, "learner has to learn first; name it as path/to/file.py:Class"),
        ({"cohorts": "gorgia"}, "Did you mean 'georgia'"),
        ({"protocols": "x"}, "Unknown protocol 'x'"),
        ({"source": "x"}, "Unknown cohort 'x'"),
        ({"data": "nowhere"}, "No folder nowhere"),
        ({"records": "some"}, "records is 'some'; give 'all', 'test' or None"),
        ({"precision": "half"}, "precision is 'half'; give 'float32' or 'bf16'"),
        ({"train_precision": "bf16"}, "train_precision is 'bf16'; give 'auto', '32-true' or 'bf16-mixed'"),
    ],
)
def test_a_wrong_evaluation_is_answered_in_a_sentence(data: Path, more: dict[str, Any], words: str) -> None:
    with pytest.raises(LeadboardError, match=words):
        evaluate(**{"model": GOOD, "data": data, "resamples": 10, "quiet": True, **more})
    with pytest.raises(LeadboardError, match=r"No run\.json in nowhere"):
        load_run("nowhere")
