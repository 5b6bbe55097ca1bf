"""Figures for a paper: size, marks, and the same bytes each time."""

from __future__ import annotations

import io
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from benchmark.metrics.cell.evaluation import evaluate
from benchmark.records.scored import Scored
from benchmark.report.papers.curve_figures import curve_figure
from benchmark.report.papers.drawing import PaperFigure
from benchmark.report.papers.overview_figures import forest_figure, heatmap_figure
from cohorts.errors import UsageError
from tests.benchmark.report.report_factory import concept, record


@pytest.fixture(scope="module")
def figure() -> PaperFigure:
    """A ROC curve of a simulated cell."""
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 2, 80).astype(np.int8)
    scores = (labels + rng.normal(0, 1, 80)).astype(np.float32)
    found = evaluate(pd.DataFrame({"AF": labels}), pd.DataFrame({"AF": scores}), resamples=50, seed=4)
    one = record("net", "georgia", evaluation=found, simulated=True)
    return curve_figure("roc", one, "AF", Scored(labels, scores, np.arange(80), 1), "column")


@pytest.fixture(scope="module")
def svg(figure: PaperFigure) -> str:
    """The curve as SVG."""
    return figure.render("svg").decode()


def test_a_column_is_85_millimetres_wide(figure: PaperFigure, svg: str) -> None:
    png = Image.open(io.BytesIO(figure.render("png")))
    assert png.width / 600 * 25.4 == pytest.approx(85, abs=0.1)
    width = re.search(r'<svg [^>]*width="([\d.]+)pt"', svg)
    assert width is not None
    assert float(width[1]) / 72 * 25.4 == pytest.approx(85, abs=0.1)
    pdf = figure.render("pdf")
    assert pdf.startswith(b"%PDF")
    box = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+)", pdf)
    assert box is not None
    assert float(box[1]) / 72 * 25.4 == pytest.approx(85, abs=0.1)


def test_simulated_is_said_in_the_figure_and_in_its_caption(figure: PaperFigure, svg: str) -> None:
    assert "georgia (simulated): AF" in svg
    for part in ("simulated data, not patients", "n = 80 records", "50 resamples of 80 records, seed 4"):
        assert part in figure.caption
    assert "sensitivity at fixed specificities" in figure.caption


def test_the_same_figure_is_the_same_bytes(figure: PaperFigure, svg: str) -> None:
    assert figure.render("svg").decode() == svg


CELLS = [
    record("net", "ptb-xl", {"AF": 0.95, "LBBB": 0.85}, relation="internal"),
    record("net", "georgia", {"AF": 0.913, "LBBB": None}, simulated=True),
    record("other", "georgia", {"AF": 0.5}, simulated=True),
]


def test_a_forest_plot_has_every_interval_and_marks_simulated() -> None:
    made = forest_figure(CELLS, ["georgia"], "column")
    text = made.render("svg").decode()
    for part in ("georgia (simulated)", "0.913 [0.893, 0.933]", "0.500 [0.480, 0.520]", "other"):
        assert part in text
    assert "ptb-xl" not in text
    assert "simulated data, not patients" in made.caption


def test_a_cohort_without_a_value_takes_no_room_in_a_forest_plot_and_is_named() -> None:
    rare = record("net", "ludb", {"AF": concept(0.8, positives=3)})
    made = forest_figure([*CELLS, rare], [], "column")
    assert made.caption.endswith("Not drawn, since no concept is eligible there: ludb.")
    assert ">ludb<" not in made.render("svg").decode()
    alone = forest_figure([rare], [], "column")
    assert "Not drawn" not in alone.caption
    assert ">ludb<" in alone.render("svg").decode()


def test_a_heat_map_has_the_numbers_and_says_what_is_internal() -> None:
    made = heatmap_figure(CELLS[:2], [], [], "page")
    text = made.render("svg").decode()
    for part in ("georgia (simulated)", "ptb-xl, internal", ">0.91<", ">0.95<", ">0.85<", ">\N{EN DASH}<"):
        assert part in text


def test_what_does_not_fit_is_said() -> None:
    many = [record("net", f"c{at}") for at in range(12)]
    with pytest.raises(UsageError, match="12 cohorts do not fit into a column"):
        heatmap_figure(many, [], [], "column")
    with pytest.raises(UsageError, match="rows do not fit on a page"):
        forest_figure([record("net", f"c{at}") for at in range(40)], [], "page")
