"""The table of fits: how much they differ, and nothing where there is one fit or no number."""

from __future__ import annotations

from pathlib import Path
from statistics import stdev
from typing import Any

import pytest

from benchmark.metrics.cell.results import FitMetrics
from benchmark.records.record import ResultRecord, Training
from benchmark.report.facts import interval_sentences
from benchmark.report.fits import FITS_WORDS, between_fits, fits_table
from benchmark.report.measured_curves import MeasuredCurves
from benchmark.report.page.details import details
from benchmark.report.writing import write_report
from tests.benchmark.report.first_screen import opened
from tests.benchmark.report.report_factory import record, statistics, write_run
from tests.benchmark.report.test_report import Page

AUROC, AUPRC = (0.8, 0.84, 0.85), (0.4, 0.3, 0.5)


def fitted(*fits: tuple[float | None, float | None], cohort: str = "georgia", **more: Any) -> ResultRecord:
    made = tuple(
        Training(
            source="ptb-xl",
            fingerprint="f",
            percent=100,
            records=9,
            validation_records=2,
            seed=seed,
            key=f"k{seed}",
        )
        for seed in range(len(fits))
    )
    more |= {"training": made, "weights_sha256": ("w",) * len(fits), "statistics": statistics(fits=len(fits))}
    one = record("net", cohort, **more)
    several = tuple(FitMetrics(auroc=auroc, auprc=auprc) for auroc, auprc in fits)
    return one.model_copy(update={"evaluation": one.evaluation.model_copy(update={"fits": several})})


SEVERAL = fitted(*zip(AUROC, AUPRC, strict=True))
WITHOUT_A_NUMBER = fitted((None, None), (None, None), cohort="sph")


def test_each_cell_of_several_fits_has_a_row_with_their_spread() -> None:
    table = fits_table([record("single"), SEVERAL, WITHOUT_A_NUMBER])
    assert table is not None
    [row] = table.rows
    assert [cell.text for cell in row] == [
        *("net", "as_is", "georgia", "external", "3", "0, 1, 2"),
        *("0.850 [0.830, 0.870]", "0.800 to 0.850", f"{stdev(AUROC):.3f}"),
        *("0.425 [0.405, 0.445]", "0.300 to 0.500", f"{stdev(AUPRC):.3f}"),
    ]
    assert len(table.columns) == len(row)
    assert fits_table([record(), WITHOUT_A_NUMBER]) is None


def test_the_spread_is_that_of_a_sample() -> None:
    assert between_fits(SEVERAL, "auroc") == (0.8, 0.85, pytest.approx(0.0264575131, abs=1e-9))
    assert between_fits(SEVERAL, "auprc") == (0.3, 0.5, pytest.approx(0.1, abs=1e-12))
    assert between_fits(record(), "auroc") is None
    assert between_fits(WITHOUT_A_NUMBER, "auroc") is None


def test_what_intervals_do_not_hold_is_said_where_there_are_fits() -> None:
    said = "how much the fits differ from each other is in none"
    assert said in interval_sentences([record(), SEVERAL])
    assert said not in interval_sentences([record()])


def test_page_and_markdown_have_the_table(tmp_path: Path) -> None:
    write_run(tmp_path, [SEVERAL, record("single")])
    write_report(tmp_path)
    page = Page((tmp_path / "leaderboard.html").read_text())
    caption = "Fits of one model: how much is chance of the training"
    [table] = [table for table in page.data["later"] if table["caption"] == caption]
    assert len(table["rows"]) == 1
    assert FITS_WORDS in page.text
    assert "seeds 0, 1, 2, mean of 3 fits" in page.text
    markdown = (tmp_path / "leaderboard.md").read_text()
    assert f"## {caption}" in markdown
    assert FITS_WORDS in markdown
    write_run(tmp_path / "one", [record("single")])
    write_report(tmp_path / "one")
    assert caption not in (tmp_path / "one/leaderboard.html").read_text()


def test_the_view_of_a_model_has_the_spread_of_each_cell() -> None:
    records = [SEVERAL, record("single"), WITHOUT_A_NUMBER]
    cells = details(records, {"AF": 0, "LBBB": 1}, MeasuredCurves([], records, {}, None))["cells"]
    assert cells[0]["between"] == {"auroc": [8000, 8500, 264], "auprc": [3000, 5000, 1000]}
    assert "between" not in cells[1]
    assert "between" not in cells[2]


def test_the_view_shows_it_beside_the_interval(tab: Any, tmp_path: Path) -> None:
    write_run(tmp_path, [SEVERAL, record("net", "sph"), record("single")])
    write_report(tmp_path)

    def rows(page: Any, entry: str, metric: str) -> list[list[str]]:
        page.evaluate(f"() => {{ location.hash = '#/model?entry={entry}/as_is&metric={metric}'; }}")
        page.locator("#view h2", has_text=entry).wait_for()
        page.locator("#view caption", has_text=f"Macro {metric.upper()} with").wait_for()
        found: list[list[str]] = page.evaluate(
            """() => [...[...document.querySelectorAll("#view table")].find(
                 (table) => table.caption.textContent.includes("with 95 % interval")).rows].map(
                   (row) => [...row.cells].map((cell) => cell.textContent))"""
        )
        return found

    with opened(tab, tmp_path) as page:
        heads, first, second, *_ = rows(page, "net", "auroc")
        assert heads[2] == "Between fits"
        assert first[2] == "mean of 3 fits: 0.800 to 0.850, standard deviation 0.026"
        assert second[2] == ""
        assert len(heads) == len(first) == len(second)
        assert rows(page, "net", "auprc")[1][2] == "mean of 3 fits: 0.300 to 0.500, standard deviation 0.100"
        assert "Between fits" not in rows(page, "single", "auroc")[0]
