"""Tables that the script makes from the numbers of the page: to the letter those that Python makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmark.metrics.cell.operating_points import RULES, Called, ConceptThresholds, Thresholds
from benchmark.records.record import ResultRecord
from benchmark.report.board import Board
from benchmark.report.operating_tables import KEPT, operating_concepts
from benchmark.report.ranking import make_boards
from benchmark.report.tables import Table, concept_tables
from benchmark.report.writing import write_report
from tests.benchmark.report.report_factory import concept, estimate, record, run_file, statistics, write_run

HOSTILE = "<b>x</b>"
READ = """() => [...document.querySelectorAll("#tables details.later")].map((details) => {
  details.open = true;
  const table = details.querySelector("table");
  if (!table) return null;
  const parts = (one) => [...one.childNodes].filter(({ tagName }) => tagName !== "SUP");
  const text = (one) => parts(one).map((part) => part.textContent).join("");
  const cell = (one) => [text(one), one.classList.contains("muted"),
    [...one.querySelectorAll("sup a")].map(({ hash }) => document.getElementById(hash.slice(1)).textContent)];
  const [groups, columns] = table.tHead.rows.length > 1 ? table.tHead.rows : [null, table.tHead.rows[0]];
  return { caption: table.caption.textContent, columns: [...columns.cells].map((one) => one.textContent),
    groups: groups ? [...groups.cells].map((one) => [one.textContent, one.colSpan]) : [],
    rows: [...table.tBodies[0].rows].map((row) => [...row.cells].map(cell)) };
})"""


def called(sensitivity: float | None, high: float, ppv: float | None = 0.4375) -> Called:
    one = estimate(sensitivity, high=high) if sensitivity is not None else estimate(None, reason="no ill")
    counts = dict.fromkeys(("tp", "fp", "fn", "tn"), 1)
    other = estimate(0.0625, undefined_fraction=0.01)
    return Called(
        threshold=0.5,
        sensitivity=one,
        specificity=other,
        ppv=estimate(ppv),
        npv=estimate(0.0001),
        f1=other,
        **counts,
    )


def cell(model: str, cohort: str, calls: dict[str, Called], **changes: Any) -> ResultRecord:
    one = record(model, cohort, **changes)
    chosen = {
        name: ConceptThresholds(
            n=90, positives=5 if name == "AF" else 40, thresholds=dict.fromkeys(RULES, 0.5)
        )
        for name in calls
    }
    thresholds = Thresholds(source="ptb-xl", records=90, concepts=chosen)
    return one.model_copy(
        update={
            "statistics": statistics(calls={name: {KEPT: found} for name, found in calls.items()}),
            "provenance": one.provenance.model_copy(update={"thresholds": thresholds}),
        }
    )


def cells() -> list[ResultRecord]:
    """Concepts that a model lacks, that few have, that nobody annotated; intervals without width; ties."""
    sure = concept(1.0).model_copy(
        update={
            "auroc": estimate(1.0, low=1.0, high=1.0, reason="no width", undefined_fraction=0.0004),
            "auprc": estimate(0.0625, low=None, high=None, reason="one patient", undefined_fraction=0.25),
            "caution": "few",
        }
    )
    first = {"AF": 0.87149, "LBBB": sure, "WPW": concept(0.9, 4), "MI": concept(None, 0, 0), HOSTILE: 0.00004}
    calls = {"AF": called(0.91, 0.95), "LBBB": called(0.8, 0.89996), HOSTILE: called(None, 1, None)}
    return [
        cell("a", "georgia", calls, aurocs=first),
        cell(
            "b",
            "georgia",
            {"AF": called(0.7, 0.9)},
            aurocs={"AF": concept(0.8, n=80), "LBBB": concept(None, 0)},
        ),
        cell("b", "georgia", {}, aurocs={"SB": 0.0625, "AF": 0.5}, protocol="zero-shot"),
        cell("a", "ptb-xl", {}, aurocs={"AF": 0.9}, relation="internal"),
        cell("a", "sim", {"AF": called(0.5, 0.6)}, aurocs={"AF": 0.7}, simulated=True),
    ]


@pytest.fixture(scope="module")
def shown(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    run = write_run(tmp_path_factory.mktemp("run"), cells())
    write_report(run)
    page, wrong = browser.new_page(), list[str]()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(f"{Path(run / 'leaderboard.html').as_uri()}#/tables")
    page.evaluate("for (const one of document.querySelectorAll('details.later')) one.open = true")
    page.wait_for_function("!document.querySelector('details.later:not([data-made-of])')")
    found = page.evaluate(READ)
    page.close()
    assert not wrong
    assert isinstance(found, list)
    return found


def plain(table: Table) -> dict[str, Any]:
    return {
        "caption": table.caption,
        "columns": list(table.columns),
        "groups": [list(group) for group in table.groups],
        "rows": [[[one.text, one.kind == "muted", list(one.notes)] for one in row] for row in table.rows],
    }


def boards() -> list[Board]:
    return make_boards(run_file(cells()), cells())


def test_concepts(shown: list[dict[str, Any]]) -> None:
    expected = [plain(table) for board in boards() for table in concept_tables(board)]
    assert len(expected) == 3
    assert [one for one in shown if one["columns"][3:4] == ["Prevalence"]] == expected


def test_operating_points(shown: list[dict[str, Any]]) -> None:
    expected = [plain(table) for board in boards() for table in operating_concepts(board)]
    assert len(expected) == 2
    notes = {note for table in expected for row in table["rows"] for *_, said in row for note in said}
    assert "threshold from 5 positives of the validation fold" in notes
    assert [one for one in shown if one["columns"][3:4] == ["Sensitivity [interval]"]] == expected
