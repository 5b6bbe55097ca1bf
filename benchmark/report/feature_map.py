"""A model's features of several cohorts in two dimensions, coloured by cohort and by concept."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmark.metrics.feature_map import FeatureMap
from benchmark.report.figures import draw
from benchmark.report.style import FAINT, PALETTE, Picture, label
from benchmark.report.text import interval
from cohorts.counts import plural

_SIZE = 3.6
"""Inches, of a panel."""

_MARKERS = "osD^vP*"


def feature_picture(found: FeatureMap, model: str, *, simulated: bool) -> Picture:
    """Draw one panel coloured by cohort and one for each concept."""
    points = found.points
    cohorts = list(dict.fromkeys(points["cohort"]))
    mark = " (simulated)" if simulated else ""

    def figure() -> Figure:
        panels = 1 + len(found.concepts)
        built = Figure(figsize=(_SIZE * panels, _SIZE + 1.2), facecolor="white", layout="constrained")
        first, *others = built.subplots(1, panels, squeeze=False)[0]
        for at, cohort in enumerate(cohorts):
            _dots(first, points[points["cohort"] == cohort], at, f"{cohort}{mark}")
        hospital = interval(found.hospital)
        first.set_title(f"Cohort, told from the features with AUROC {hospital}", fontsize=8)
        for axes, concept in zip(others, found.concepts, strict=True):
            for at, (value, name) in enumerate(((-1, "not annotated"), (0, "negative"), (1, "positive"))):
                _dots(axes, points[points[concept] == value], (6, 5, 1)[at], name)
            axes.set_title(label(concept, 40), fontsize=8)
        for axes in (first, *others):
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_color(FAINT)
            axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=2, frameon=False, fontsize=7)
        return built

    alt = (
        f"Features of {label(model, 60)}, {plural(len(points), 'recording')} of "
        f"{plural(len(cohorts), 'cohort')}{mark}, in a plane; the cohort is told from them with an AUROC of "
        f"{interval(found.hospital)}."
    )
    return draw("map", alt, figure)


def _dots(axes: Axes, points: pd.DataFrame, at: int, name: str) -> None:
    if len(points):
        colour, marker = PALETTE[at % len(PALETTE)], _MARKERS[at % len(_MARKERS)]
        x, y = points["x"], points["y"]
        axes.scatter(x, y, s=9, alpha=0.7, lw=0, color=colour, marker=marker, label=label(name, 30))
