"""``leadboard compare``: two models of a run, paired."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from benchmark.cli import app
from benchmark.config import Places
from benchmark.exchange.joining import one_run
from benchmark.progress import Reporter
from benchmark.records.predictions import load_predictions
from benchmark.records.resamples import resamples_path
from benchmark.report.pairwise import compare_models
from benchmark.run.cohorts import labelled
from cohorts.errors import UnknownNameError, UsageError
from tests.benchmark.report.report_factory import drawn, record, write_drawn
from tests.benchmark.tiny_run import edit_json, make_places, make_run, score_table


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return make_places(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, places: Places) -> Path:
    """The noisy model on both cohorts, and another one's predictions on Georgia."""
    run = make_run(tmp_path_factory.mktemp("runs"), places)
    table, _ = load_predictions(run / "noisy/as-is/georgia.parquet")
    rng = np.random.default_rng(0)
    noise = rng.normal(0, table["AF"].std(), len(table))
    score_table(run, places, table.assign(AF=(table["AF"] + noise).astype(np.float32)), "other")
    return run


def test_delong_and_bootstrap_agree_with_an_independent_computation(run: Path, places: Places) -> None:
    found = compare_models(run, "noisy", "other", labelled(places, Reporter()))
    assert list(found.cohorts) == ["georgia"]
    one = found.cohorts["georgia"]
    assert one.relations == ("external", "external")
    assert one.macro_concepts == ("AF", "LVH")
    files = [run / f"{name}/georgia.parquet" for name in ("noisy/as-is", "other/predictions")]
    scores = [pd.read_parquet(file)["AF"].to_numpy() for file in files]
    truth = np.arange(len(scores[0])) % 2 == 1  # every other record is in fibrillation
    apart = [np.subtract.outer(s[truth], s[~truth]) for s in scores]
    difference = np.sign(apart[0]) / 2 - np.sign(apart[1]) / 2
    spreads = [np.var(difference.mean(axis=axis), ddof=1) / difference.shape[1 - axis] for axis in (0, 1)]
    error = np.sqrt(sum(spreads))
    test = one.concepts["AF"].delong
    assert test is not None
    assert test.value == pytest.approx(difference.mean())
    assert test.p == pytest.approx(2 * norm.sf(abs(difference.mean()) / error))
    draws = one_run(run).draws
    first, second = draws["noisy", "as-is", "georgia"], draws["other", "predictions", "georgia"]
    ends = np.percentile(first.macro_auroc - second.macro_auroc, [2.5, 97.5])
    assert [one.auroc.low, one.auroc.high] == pytest.approx(list(ends), abs=1e-9)
    same = one.concepts["LVH"]
    assert (same.bootstrap.value, same.bootstrap.p) == (0.0, 1.0)
    assert same.delong is not None
    assert same.delong.p == 1.0
    assert found.pooled.value == pytest.approx(one.auroc.value)
    assert found.notes == ()


def test_without_labels_the_bootstrap_alone_is_used_and_that_is_said(run: Path) -> None:
    found = compare_models(run, "noisy/as-is", "other/predictions")
    assert found.cohorts["georgia"].concepts["AF"].delong is None
    assert found.notes == ("Paired bootstrap only: give the releases with --data for DeLong's test.",)


def test_p_values_are_adjusted_for_all_tests_of_a_kind(tmp_path: Path) -> None:
    cohorts = ("georgia", "ningbo", "sph")
    cells = [drawn(record("a", c, {"AF": 0.9, "SB": 0.8}), at) for at, c in enumerate(cohorts)]
    cells += [drawn(record("b", c, {"AF": 0.89, "SB": 0.8}), at + 9) for at, c in enumerate(cohorts)]
    found = compare_models(write_drawn(tmp_path, cells), "a", "b")
    raw = sorted(one.auroc.p or 0 for one in found.cohorts.values())
    adjusted = sorted(one.auroc.p_holm or 0 for one in found.cohorts.values())
    assert adjusted[0] == pytest.approx(min(1, 3 * raw[0]))
    each = [c.bootstrap for one in found.cohorts.values() for c in one.concepts.values()]
    smallest = min(each, key=lambda d: d.p or 0)
    assert smallest.p_holm == pytest.approx(min(1, 6 * (smallest.p or 0)))
    assert found.pooled_over == cohorts


def test_wrong_names_are_answered_with_the_right_ones(tmp_path: Path) -> None:
    cells = [drawn(record("net", protocol=p)) for p in ("as-is", "linear-probe-10")]
    run = write_drawn(tmp_path, [*cells, drawn(record("control", protocol="as-is"))])
    with pytest.raises(UnknownNameError, match="Did you mean 'control'"):
        compare_models(run, "contrl", "net/as-is")
    with pytest.raises(UsageError, match="name one of net/as-is, net/linear-probe-10"):
        compare_models(run, "control", "net")
    with pytest.raises(UsageError, match="are the same"):
        compare_models(run, "control", "control/as-is")
    same = compare_models(run, "net/as-is", "net/linear-probe-10")
    assert (same.cohorts["georgia"].auroc.p, same.pooled.p) == (1.0, None)


def test_cells_that_were_not_measured_alike_are_refused_by_name(tmp_path: Path) -> None:
    cells = [drawn(record("a", c)) for c in ("georgia", "ningbo", "sph")]
    cells += [
        drawn(record("b", "georgia", fingerprint="other")),
        drawn(record("b", "ningbo"), resamples=300),
        drawn(record("b", "sph")),
    ]
    run = write_drawn(tmp_path, cells)
    found = compare_models(run, "a", "b")
    assert list(found.cohorts) == ["sph"]
    assert found.refused == {
        "georgia": "measured on another state of the release",
        "ningbo": "measured on other resamples (400 from seed 7, 300 from seed 7)",
    }
    resamples_path(run / "b/as_is/sph.json").unlink()
    with pytest.raises(UsageError, match=r"sph: b: .*is missing"):
        compare_models(run, "a", "b")


def test_labels_in_another_state_are_not_used(run: Path, places: Places, tmp_path: Path) -> None:
    def elsewhere(cohort: str, **_: object) -> None:
        return None

    assert compare_models(run, "noisy", "other", elsewhere).notes == (
        "Paired bootstrap only: georgia is not on this machine.",
    )


def test_from_the_command_line(run: Path, places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    assert places.data is not None
    arguments = [
        "compare",
        "noisy",
        "other",
        str(run),
        "--data",
        str(places.data),
        "--cache",
        str(places.cache),
    ]
    assert app(arguments, result_action="return_value") == 0
    text = capsys.readouterr().out
    assert "noisy/as-is minus other/predictions" in text
    assert "DeLong" in text
    assert "50 shared resamples, seed 0" in text
    assert app([*arguments, "--json"], result_action="return_value") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["cohorts"]["georgia"]["concepts"]["AF"]["n"] == 40


def test_tampered_predictions_are_not_tested(run: Path, places: Places, tmp_path: Path) -> None:
    copy = shutil.copytree(run, tmp_path / "run")
    shutil.copy(copy / "noisy/as-is/ptb-xl.parquet", copy / "noisy/as-is/georgia.parquet")
    found = compare_models(copy, "noisy", "other", labelled(places, Reporter()))
    assert "not those that were measured" in found.notes[0]
    edit_json(copy / "noisy/as-is/georgia.json", lambda r: r["predictions"].update(sha256="0"))
    with pytest.raises(UsageError, match="of other predictions"):
        compare_models(copy, "noisy", "other")
