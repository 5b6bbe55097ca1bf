"""ROC and precision-recall curves of one concept of a cell, with their bands."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from benchmark.metrics.curves import Curve, CurveName, curve
from benchmark.records.record import ResultRecord
from benchmark.records.scored import Scored
from benchmark.report.papers.drawing import INCH, SMALL, SMALLER, WIDTHS, PaperFigure
from benchmark.report.style import FAINT, PALETTE, label
from benchmark.report.text import count, interval
from cohorts.counts import plural

HEIGHTS = {"column": 0.85, "page": 0.55}
"""Of a figure, as a share of its width."""


def curve_figure(
    name: CurveName, record: ResultRecord, concept: str, measured: Scored, width: str
) -> PaperFigure:
    """Draw a curve with its band, from the resamples of the cell.

    Parameters
    ----------
    measured
        Labels and scores of the concept, as `benchmark.records.scored.scored` gives them.
    width
        ``"column"`` or ``"page"``.
    """
    drawn = record.evaluation.bootstrap
    found = curve(
        name,
        measured.labels,
        measured.scores,
        measured.groups,
        resamples=drawn.resamples,
        seed=drawn.seed,
        level=drawn.level,
    )
    parts = (name, record.model.name, record.protocol, record.cohort.id, concept, width)
    return PaperFigure(
        "-".join(part.replace("/", "_") for part in parts),
        _caption(name, record, concept, measured, found),
        lambda: _build(name, record, concept, found, width),
    )


def _caption(name: CurveName, record: ResultRecord, concept: str, measured: Scored, found: Curve) -> str:
    one, drawn = record.evaluation.concepts[concept], record.evaluation.bootstrap
    what, area, estimate, at = (
        ("ROC curve", "AUROC", one.auroc, "sensitivity at fixed specificities")
        if name == "roc"
        else ("Precision-recall curve", "AUPRC", one.auprc, "precision at fixed recalls")
    )
    simulated = " (simulated data, not patients)" if record.cohort.simulated else ""
    said = (
        f"{what} of {record.model.name} ({record.protocol}) for {concept} on {record.cohort.id}{simulated}, "
        f"{record.relation}. n = {plural(one.n, 'record')}, {count(one.positives)} positive. {area} "
        f"{interval(estimate)}. Band: {drawn.level:.0%} of the {at}, point by point, from "
        f"{plural(found.resamples, 'resample')} of {count(drawn.groups)} {drawn.unit}, seed {drawn.seed}."
    )
    if found.undefined:
        said += f" {plural(found.undefined, 'resample')} without a curve left out."
    if measured.fits > 1:
        said += f" The curve is of the first of {measured.fits} fits, the {area} the mean of all."
    return said


def _build(name: CurveName, record: ResultRecord, concept: str, found: Curve, width: str) -> Figure:
    one, across = record.evaluation.concepts[concept], WIDTHS[width] / INCH
    figure = Figure(figsize=(across, across * HEIGHTS[width]), layout="constrained")
    axes, colour, dashes = figure.add_subplot(), PALETTE[0], (0, (4, 3))
    axes.fill_between(found.grid, found.low, found.high, color=colour, alpha=0.2, linewidth=0)
    if name == "roc":
        axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.6, linestyle=dashes)
        axes.plot(found.x, found.y, color=colour, label=f"AUROC {interval(one.auroc)}")
        axes.set(xlabel="1 - specificity", ylabel="Sensitivity")
    else:
        axes.axhline(one.prevalence or 0, color=FAINT, linewidth=0.6, linestyle=dashes, label="prevalence")
        x, y = np.append(0, found.x), np.append(found.y[0], found.y)
        axes.step(x, y, where="pre", color=colour, label=f"AUPRC {interval(one.auprc)}")
        axes.set(xlabel="Recall (sensitivity)", ylabel="Precision (positive predictive value)")
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    title = f"{label(record.model.name)}, {label(record.cohort.id)}{_mark(record)}: {label(concept)}"
    axes.set_title(title, fontsize=SMALL)
    axes.tick_params(labelsize=SMALLER, width=0.5, length=2)
    axes.spines[["top", "right"]].set_visible(False)
    legend = axes.legend(loc="lower right" if name == "roc" else "best", frameon=False, fontsize=SMALLER)
    legend.set_title(f"n {count(one.n)}, positive {count(one.positives)}")
    legend.get_title().set_fontsize(SMALLER)
    return figure


def _mark(record: ResultRecord) -> str:
    return " (simulated)" if record.cohort.simulated else ""
