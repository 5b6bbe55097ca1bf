"""Operating points, calibration and subgroups on the page: numbers of the records, marked and explained."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmark.metrics.cell.evaluation import evaluate_resampled
from benchmark.metrics.cell.operating_points import Thresholds, concept_thresholds
from benchmark.metrics.cell.statistics import cell_statistics
from benchmark.records.record import ResultRecord
from benchmark.report.cell_tables import calibration_table, cell_tables, subgroup_tables
from benchmark.report.operating_tables import operating_table
from benchmark.report.ranking import make_boards
from benchmark.report.writing import write_report
from tests.benchmark.report.report_factory import record, run_file, write_run


def measured(
    cohort: str, shift: float = 0.0, *, relation: str = "external", simulated: bool = False
) -> ResultRecord:
    """A cell with all its statistics; ``shift`` moves the scores against the thresholds."""
    labels, scores = _tables(0, 0.0)
    chosen = Thresholds(source="ptb-xl", records=200, concepts=concept_thresholds(*_tables(1, 0.0)))
    evaluation, _ = evaluate_resampled(labels, _tables(0, shift)[1], resamples=60)
    scores = _tables(0, shift)[1]
    statistics = cell_statistics(
        labels,
        [scores],
        None,
        evaluation,
        probabilities=True,
        thresholds=chosen,
        members={"sex": ["female", "male"] * 100, "age": ["under 40", "80 and over", "40 to 59", None] * 50},
    )
    one = record("net", cohort, relation=relation, simulated=simulated)
    provenance = one.provenance.model_copy(update={"thresholds": chosen})
    changes = {"evaluation": evaluation, "statistics": statistics, "provenance": provenance}
    return one.model_copy(update=changes)


def _tables(seed: int, shift: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    labels = pd.DataFrame({name: rng.random(200) < 0.4 for name in ("AF", "SB")}).astype(np.int8)
    logits = 2.0 * labels - 1 + rng.normal(size=labels.shape) + shift
    return labels, 1 / (1 + np.exp(-logits))


RECORDS = [
    measured("ptb-xl", relation="internal"),
    measured("georgia", -3.0),
    measured("ningbo", simulated=True),
]


def test_internal_and_external_means_and_what_lies_below_the_target() -> None:
    [board, simulated] = make_boards(run_file(RECORDS), RECORDS)
    table = operating_table(board)
    assert table is not None
    row = next(row for row in table.rows if row[2].text == "sensitivity 90 %")
    called = [c["sensitivity 90 %"] for c in RECORDS[1].statistics.calls.values()]
    assert row[6].sort == 2
    assert row[7].sort == pytest.approx(np.mean([c.sensitivity.value for c in called]))
    assert row[9].text == "2 of 2"  # scores that are too low in another cohort miss the ill
    alone = operating_table(simulated)
    assert alone is not None
    assert alone.caption.startswith("Simulated cohorts, not patients")


def test_calibration_has_a_row_for_each_cell() -> None:
    [board, _] = make_boards(run_file(RECORDS), RECORDS)
    table = calibration_table(board)
    assert table is not None
    of_cohort = {row[0].text: row for row in table.rows}
    assert set(of_cohort) == {"ptb-xl", "georgia"}
    intercept = of_cohort["georgia"][11]
    assert intercept.sort is not None
    assert intercept.sort > 2  # probabilities are too low by 3 on the logit scale


def test_subgroups_are_shown_youngest_first() -> None:
    [board, _] = make_boards(run_file(RECORDS), RECORDS)
    tables = {table.caption.split(": ")[0] + table.caption[-4:]: table for table in subgroup_tables(board)}
    assert set(tables) == {"georgia sex", "georgia age", "ptb-xl sex", "ptb-xl age"}
    ages = tables["georgia age"].columns[2:-1]
    assert ages == ("under 40 (n 50)", "40 to 59 (n 50)", "80 and over (n 50)", "unknown (n 50)")
    [row] = tables["georgia sex"].rows
    assert " minus " in row[-1].text


def test_page_markdown_and_json(tmp_path: Path) -> None:
    run = write_run(tmp_path, RECORDS)
    write_report(run)
    html, text = ((run / f"leaderboard.{kind}").read_text() for kind in ("html", "md"))
    for words in (
        "Operating points",
        "Calibration (simulated)",
        "Subgroups",
        "validation fold of the source",
    ):
        assert words in html
    assert "operating points, means over pairs" in text
    cell = json.loads((run / "leaderboard.json").read_text())["cells"][1]
    assert cell["statistics"]["calibration"]["brier"]["value"] > 0
    assert cell["statistics"]["subgroups"]["sex"]["gap"]["highest"] in ("female", "male")
    assert "concepts" not in cell["statistics"]["calibration"]


def test_cells_without_operating_points_say_why(tmp_path: Path) -> None:
    run = write_run(tmp_path, [record("net", cohort) for cohort in ("georgia", "ningbo")])
    write_report(run)
    html = (run / "leaderboard.html").read_text()
    words = "No operating points for 2 cells (net on georgia, net on ningbo): ptb-xl is not on this machine."
    assert words in html
    [board] = make_boards(run_file([record("net")]), [record("net")])
    [section] = cell_tables(board)
    assert section.tables == []
    assert section.sentences == [
        "No operating points for 1 cell (net on georgia): ptb-xl is not on this machine."
    ]
