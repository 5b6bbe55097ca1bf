"""What goes into a paper: the tidy table and the typeset ones."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from benchmark.exchange.joining import one_run
from benchmark.metrics.cell.evaluation import evaluate
from benchmark.metrics.cell.operating_points import Thresholds
from benchmark.metrics.cell.statistics import cell_statistics
from benchmark.report.papers.tables import macro_table
from benchmark.report.papers.tidy import COLUMNS, tidy
from benchmark.report.papers.typesetting import latex, render
from cohorts.errors import UsageError
from tests.benchmark.report.report_factory import record, write_run

CELLS = [
    record("net_1", "ptb-xl", {"AF": 0.95, "AFL": 0.85}, relation="internal"),
    record("net_1", "georgia", {"AF": 0.9, "AFL": None}),
    record("a.b_c", "georgia", {"AF": 0.5, "AFL": None}, simulated=True),
]


def frame(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text), keep_default_na=False, na_values=[""])


def test_values_are_those_of_scikit_learn(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    truth = pd.DataFrame({"AF": rng.integers(0, 2, 200)}).astype("int8")
    scores = pd.DataFrame({"AF": np.clip(0.3 * truth["AF"] + rng.uniform(0, 0.7, 200), 0, 1)})
    found = evaluate(truth, scores, resamples=100, seed=5)
    told = cell_statistics(
        truth,
        [scores],
        None,
        found,
        probabilities=True,
        thresholds=Thresholds(source=None, reason="none"),
        members={},
    )
    one = record("net", "georgia", {"AF": 0.9}, evaluation=found, statistics=told)
    rows = frame(tidy(one_run(write_run(tmp_path, [one]))))
    assert tuple(rows.columns) == COLUMNS
    of = rows[rows["concept"] == "AF"].set_index("metric")
    expected = {
        "auroc": roc_auc_score(truth["AF"], scores["AF"]),
        "auprc": average_precision_score(truth["AF"], scores["AF"]),
        "brier": brier_score_loss(truth["AF"], scores["AF"]),
    }
    for metric, value in expected.items():
        assert of.loc[metric, "value"] == pytest.approx(value, abs=1e-12)
        assert of.loc[metric, "low"] < value < of.loc[metric, "high"]
        assert (of.loc[metric, "n"], of.loc[metric, "positives"]) == (200, truth["AF"].sum())
        assert (of.loc[metric, "resamples"], of.loc[metric, "seed"]) == (100, 5)


def test_only_external_macro_averages_have_a_rank_and_simulated_is_said(tmp_path: Path) -> None:
    rows = frame(tidy(one_run(write_run(tmp_path, CELLS))))
    ranked = rows[rows["rank"].notna()]
    assert set(ranked["concept"]) == {"macro"}
    assert set(ranked["relation"]) == {"external"}
    assert set(rows.loc[rows["simulated"], "model"]) == {"a.b_c"}
    undefined = rows[(rows["cohort"] == "georgia") & (rows["concept"] == "AFL")]
    assert undefined["value"].isna().all()


def test_a_table_says_n_positives_resamples_unit_and_seed() -> None:
    made = macro_table(CELLS[:2], "auroc", ["georgia", "ptb-xl"])
    assert made.heads == ("Model", "georgia", "ptb-xl")
    assert made.rows == (("net_1", "0.900 [0.880, 0.920]", "0.900 [0.880, 0.920] (internal)"),)
    drawn = CELLS[0].evaluation.bootstrap
    for part in (
        f"n = {CELLS[1].records.scored:,} record",
        "1 concept with 20 positives each",
        f"{drawn.resamples:,} resamples of {drawn.groups:,} {drawn.unit}, seed {drawn.seed}",
    ):
        assert part in made.caption
    assert "simulated" not in made.caption
    assert "georgia (simulated data, not patients)" in macro_table(CELLS[2:], "auroc").caption


def test_latex_has_no_sign_that_is_not_meant() -> None:
    text = render(macro_table(CELLS, "auroc"), "latex").split("\n", 1)[1]
    plain = re.sub(r"\\[a-zA-Z]+|\\[$&#%_{}]|\\\\", "", text)
    assert not re.search(r"[\\$#%_~^<>|\"]", plain)
    depth = 0
    for sign in plain:
        depth += (sign == "{") - (sign == "}")
        assert depth >= 0
    assert depth == 0
    inside = text.split(r"\toprule")[1].split(r"\bottomrule")[0]
    rows = [row for row in inside.replace(r"\midrule", "").split(r"\\") if row.strip()]
    assert len(rows) == 3
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {2}
    assert not any(row.lstrip().startswith(("[", "*")) for row in rows)


def test_every_sign_is_escaped() -> None:
    assert latex("\\") == r"\textbackslash{}"
    assert latex("--\n$#^") == r"-{}- \$\#\textasciicircum{}"


def test_markdown_and_csv_have_the_same_cells() -> None:
    made = macro_table(CELLS[:2], "auprc")
    listed = list(csv.reader(render(made, "csv").splitlines()[1:]))
    assert listed == [list(made.heads), *map(list, made.rows)]
    lines = [line for line in render(made, "markdown").splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(made.rows)


def test_an_unknown_cohort_is_said() -> None:
    with pytest.raises(UsageError, match=r"no result on 'sph'; it has ptb-xl, georgia"):
        macro_table(CELLS, "auroc", ["sph"])
