"""Several seeds in one run: what is learnt is learnt from each, and every number is the mean of the fits."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from baselines.minirocket.transform import fit_kernels
from benchmark.cli import app
from benchmark.config import Places
from benchmark.metrics.checks import ELIGIBLE_MINIMUM
from benchmark.progress import Reporter
from benchmark.protocols.hardware import Hardware
from benchmark.records.fit_seeds import fit_seeds
from benchmark.records.measuring import RunSettings
from benchmark.records.predictions import load_predictions, score_tables
from benchmark.records.record import ResultRecord, load_record
from benchmark.run.elsewhere import answer, pack
from benchmark.run.engines import begin
from benchmark.run.evaluating import evaluate
from benchmark.run.plan_text import model_in_words
from benchmark.run.planning import make_plan
from benchmark.run.reopening import reopen
from benchmark.run.states import RunOptions
from cohorts.catalogue import open_cohort
from cohorts.preparing import prepare
from cohorts.simulator.simulate import simulate
from tests.benchmark.tiny_run import NOISY

FOUNDATION = Path(__file__).parents[2] / "plugins" / "foundation.py"
METRICS = {"auroc": roc_auc_score, "auprc": average_precision_score}


def leadboard(home: Path, command: str, *words: object) -> None:
    places = ["--data", str(home / "data"), "--cache", str(home / "cache")]
    taken = {"submit": 0, "verify": 2}.get(command, 4)
    call = [command, *map(str, words), *places[:taken]]
    assert app(call, exit_on_error=False, print_error=False, result_action="return_value") == 0


def run_from(home: Path, name: str, *seeds: int, models: tuple[str, ...] = ("minirocket",)) -> None:
    words = [word for seed in seeds for word in ("--seed", seed)]
    words += [word for model in models for word in ("--model", model)]
    leadboard(home, "run", "--out", home / name, "--resamples", 40, *words)


def record_of(home: Path, name: str, model: str = "minirocket", protocol: str = "as-is") -> ResultRecord:
    return load_record(home / name / model / protocol / "georgia.json")


def fits_of(home: Path, name: str, model: str = "minirocket", protocol: str = "as-is") -> list[pd.DataFrame]:
    table, _ = load_predictions(home / name / model / protocol / "georgia.parquet")
    return score_tables(table)[0]


@pytest.fixture(scope="module", autouse=True)
def few_features() -> Iterator[None]:
    """What a seed decides does not depend on how many kernels are drawn from it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("baselines.minirocket.transform.fit_kernels", partial(fit_kernels, features=840))
        yield


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run from seed 0, the same with seed 1 added, and one from seed 1 alone."""
    folder = tmp_path_factory.mktemp("home")
    simulate(folder / "data", sites=["ptb-xl"], scale=0.15)
    simulate(folder / "data", sites=["georgia"], scale=0.6)
    (folder / "noisy.py").write_text(NOISY)
    models = ("minirocket", f"{folder / 'noisy.py'}:Noisy")
    run_from(folder, "both", 0, models=models)
    shutil.copytree(folder / "both", folder / "first")
    run_from(folder, "both", 0, 1, models=models)
    run_from(folder, "second", 1)
    return folder


def test_the_average_is_that_of_scikit_learn_on_the_saved_predictions(home: Path) -> None:
    cohort = open_cohort("georgia", home / "data")
    assert cohort is not None
    truth = prepare(cohort, home / "cache").labels
    evaluation = record_of(home, "both").evaluation
    fits = fits_of(home, "both")
    assert len(fits) == 2
    for metric, measure in METRICS.items():
        table = pd.DataFrame(
            {
                concept: [measure(labels[labels >= 0], fit[concept].to_numpy()[labels >= 0]) for fit in fits]
                for concept in fits[0]
                if min(((labels := truth[concept].to_numpy()) == value).sum() for value in (0, 1)) > 0
            }
        )
        stated = {name: getattr(one, metric).value for name, one in evaluation.concepts.items()}
        defined = {name: value for name, value in stated.items() if value is not None}
        assert defined == pytest.approx(table.mean().to_dict(), abs=1e-12)
        eligible = [
            concept
            for concept in table
            if min((truth[concept] == value).sum() for value in (0, 1)) >= ELIGIBLE_MINIMUM
        ]
        assert evaluation.macro.concepts == tuple(eligible)
        assert len(eligible) > 2
        macros = table[eligible].mean(axis=1)
        assert [getattr(fit, metric) for fit in evaluation.fits] == pytest.approx(list(macros), abs=1e-12)
        assert evaluation.macro.of(metric).value == pytest.approx(macros.mean(), abs=1e-12)  # type: ignore[arg-type]
        assert evaluation.deviation(metric) == pytest.approx(macros.std(), abs=1e-12)  # type: ignore[arg-type]
        assert macros.std() > 0, "the two trainings did not differ"


def test_each_fit_is_that_of_a_run_from_its_seed_alone(home: Path) -> None:
    both = record_of(home, "both")
    assert [fit.seed for fit in both.training] == [0, 1]
    for at, name in enumerate(("first", "second")):
        alone = record_of(home, name)
        assert [fit.seed for fit in alone.training] == [at]
        assert both.training[at] == alone.training[0]
        assert both.weights_sha256[at] == alone.weights_sha256[0]
        pd.testing.assert_frame_equal(fits_of(home, "both")[at], fits_of(home, name)[0], check_exact=True)
        assert both.evaluation.fits[at].auroc == pytest.approx(alone.evaluation.macro.auroc.value, abs=1e-12)
    assert both.evaluation.bootstrap == record_of(home, "first").evaluation.bootstrap
    assert record_of(home, "second").evaluation.bootstrap.seed == 1


def test_another_seed_makes_its_own_fit_and_leaves_what_learns_nothing(home: Path) -> None:
    assert len(list((home / "cache/models/minirocket").iterdir())) == 2
    for suffix in ("json", "parquet", "resamples.npz"):
        place = f"noisy/as-is/georgia.{suffix}"
        assert (home / "both" / place).stat().st_mtime_ns == (home / "first" / place).stat().st_mtime_ns
    assert record_of(home, "both", "noisy").training == ()


def test_adding_a_seed_computes_what_is_learnt_and_nothing_else(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(home / "first", tmp_path / "run")
    made = {path: path.stat().st_mtime_ns for path in (home / "cache/models").rglob("*") if path.is_file()}
    words = ["--out", tmp_path / "run", "--resamples", 40, "--model", "minirocket"]
    words += ["--model", f"{home / 'noisy.py'}:Noisy", "--seed", 0, "--seed", 1]
    leadboard(home, "run", *words)
    printed = capsys.readouterr()
    assert "2 of 4 cells computed now, 0 failed." in printed.out
    assert "minirocket, as-is" in printed.err
    assert "trained 2 times on ptb-xl" in printed.err
    assert made == {
        path: path.stat().st_mtime_ns for path in (home / "cache/models").rglob("*") if path.is_file()
    }
    again = load_record(tmp_path / "run/minirocket/as-is/georgia.json")
    both = record_of(home, "both")
    assert (again.key, again.evaluation, again.predictions) == (both.key, both.evaluation, both.predictions)
    leadboard(home, "run", *words)
    assert "Nothing to do: all 4 cells are done." in capsys.readouterr().out


def test_verify_recomputes_all_of_it_and_notices_a_fit_that_was_changed(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leadboard(home, "submit", home / "both", "--model", "minirocket", "--to", tmp_path / "all", "--simulated")
    [submission] = (tmp_path / "all").iterdir()
    leadboard(home, "verify", submission)
    shutil.copytree(home / "both/minirocket", tmp_path / "minirocket")
    path = tmp_path / "minirocket/as-is/georgia.json"
    content = json.loads(path.read_text())
    content["evaluation"]["fits"][1]["auroc"] += 0.01
    path.write_text(json.dumps(content))
    capsys.readouterr()
    call = ["verify", str(path), "--data", str(home / "data")]
    assert app(call, exit_on_error=False, print_error=False, result_action="return_value") == 1
    assert "evaluation.fits[1].auroc is stated as" in " ".join(capsys.readouterr().out.split())


def test_explain_and_the_page_say_how_much_is_chance_of_the_training(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    concept = record_of(home, "both").evaluation.macro.concepts[0]
    leadboard(home, "explain", home / "both", "minirocket", "georgia", concept)
    said = " ".join(capsys.readouterr().out.split())
    assert "fits the mean over 2, of seeds 0, 1" in said
    evaluation = record_of(home, "both").evaluation
    first, second = evaluation.of_fits("auroc")
    deviation = abs(first - second) / 2**0.5
    shown = f"{first:.3f}, {second:.3f}; standard deviation {deviation:.3f}, which is in no interval"
    assert f"macro of each {shown}" in said
    leadboard(home, "explain", home / "both", "minirocket", "georgia", concept, "--json")
    number = json.loads(capsys.readouterr().out)["number"]
    assert number["seeds_of_fits"] == [0, 1]
    assert np.mean(number["of_fits"]["auroc"]) == pytest.approx(number["auroc"]["value"], abs=1e-12)
    page = (home / "both/leaderboard.html").read_text()
    assert "Fits of one model: how much is chance of the training" in page
    assert "seeds 0, 1, mean of 2 fits" in page
    rows = (home / "both/leaderboard.md").read_text().split("Fits of one model")[1]
    [row] = re.findall(r"^\| minirocket .* georgia .*$", rows, re.MULTILINE)
    assert f"{min(first, second):.3f} to {max(first, second):.3f} | {deviation:.3f} |" in row
    assert "Fits of one model" not in (home / "first/leaderboard.html").read_text()


@pytest.mark.parametrize("protocol", ["linear-probe-10", "fine-tune-1", "zero-shot"])
def test_a_cell_is_opened_again_with_all_its_fits(home: Path, protocol: str) -> None:
    """Three fits for each seed, whose numbers do not collide; the pre-training is of the first seed alone."""
    model, places = f"{FOUNDATION}:Foundation", Places(home / "data", home / "cache")
    words = ["--protocol", protocol, "--cohort", "georgia", "--resamples", 20, "--seed", 1, "--seed", 3]
    leadboard(home, "run", "--out", home / protocol, "--model", model, *words)
    record = record_of(home, protocol, "foundation", protocol)
    seeds = () if protocol == "zero-shot" else fit_seeds(record.training[0].percent, (1, 3))
    assert tuple(fit.seed for fit in record.training) == seeds
    assert len(seeds) in (0, 6)
    assert record.pretraining is not None
    assert record.pretraining.seed == record.evaluation.bootstrap.seed == 1
    opened = reopen(record, model, places, Hardware(), Reporter(quiet=True))
    assert [fit.key for fit in opened.model.fits] == [fit.key for fit in record.training]
    assert opened.model.base is not None
    assert opened.model.base.key == record.pretraining.key
    assert all(fit.artifact.done for fit in opened.model.fits)


def test_the_plan_says_how_many_fits_there_are_and_how_many_are_done(home: Path, tmp_path: Path) -> None:
    places = Places(home / "data", home / "cache")
    options = RunOptions(
        *(tmp_path / "run", places, RunSettings(resamples=20), Hardware("cpu", workers=1)),
        models=["minirocket"],
        cohorts=["georgia"],
        more_seeds=(1, 2),
    )
    [model] = make_plan(options, Reporter(quiet=True)).entries.evaluated
    assert model_in_words(model).endswith("to be trained 3 times on ptb-xl, 2 of them done")


def test_a_program_asks_for_the_same(home: Path, tmp_path: Path) -> None:
    found = evaluate(
        "minirocket",
        home / "data",
        cohorts="georgia",
        out=tmp_path,
        cache=home / "cache",
        seed=[0, 1],
        resamples=40,
        quiet=True,
    )
    [record] = found
    both = record_of(home, "both")
    assert (record.key, record.evaluation, record.training) == (both.key, both.evaluation, both.training)


def test_another_process_fits_from_all_seeds_too(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    places = Places(home / "data", home / "cache")
    options = RunOptions(
        *(tmp_path / "run", places, RunSettings(resamples=20), Hardware("cpu", workers=1)),
        models=["minirocket"],
        cohorts=["georgia"],
        more_seeds=(1,),
    )
    quiet = Reporter(quiet=True)
    plan = make_plan(options, quiet)
    begin(plan)
    [task] = plan.tasks
    found = answer(pack(task, plan, options.hardware, scored=False), quiet)
    assert (found.failed, found.refused) == ("", "")
    assert found.predictions is not None
    table, _ = load_predictions(home / "both/minirocket/as-is/georgia.parquet")
    pd.testing.assert_frame_equal(found.predictions.table, table, check_exact=True)
