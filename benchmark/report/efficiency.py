"""Label efficiency: what a model reaches in other hospitals with how many of the source's labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmark.metrics.estimates import Estimate
from benchmark.protocols.protocol import PERCENTS, PROTOCOLS
from benchmark.records.record import ResultRecord
from benchmark.report.board import Board
from benchmark.report.style import FAINT, PALETTE, RULE, Picture, label
from cohorts.counts import plural

if TYPE_CHECKING:  # matplotlib's axes take half a second to import, and most runs have no such figure
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POSITIONS = {0: 0, **{percent: at for at, percent in enumerate(PERCENTS, start=1)}}
"""Where a share of the labels stands on the axis; 0 is zero-shot."""

COLUMNS = 4
PANEL = (2.7, 2.1)
"""Inches: width and height of a panel."""

TOP, BOTTOM = 0.3, 1.35
"""Inches: above and below all panels."""

STYLES: dict[str, dict[str, Any]] = {
    "zero-shot": {"marker": "D", "ls": "none"},
    "linear-probe": {"marker": "o", "ls": "-"},
    "fine-tune": {"marker": "s", "ls": "--"},
    "as-is": {"marker": "^", "ls": "none"},
}


@dataclass(frozen=True, slots=True)
class Series:
    """One model under one kind of protocol: a line of each panel."""

    model: str
    kind: str

    @property
    def label(self) -> str:
        """For the legend."""
        return f"{self.model}, {'all labels' if self.kind == 'as-is' else self.kind.replace('-', ' ')}"


def efficiency(boards: Sequence[Board]) -> Picture | None:
    """Draw AUROC and AUPRC on every external cohort against the share of the labels; None without any."""
    cells = [record for board in boards for record in board.records if series_of(record) is not None]
    shares: dict[str, set[int]] = {}
    for record in cells:
        shares.setdefault(record.cohort.id, set()).add(share_of(record))
    cohorts = [cohort for cohort, found in shares.items() if len(found - {0}) > 1]
    if not cohorts:
        return None
    from benchmark.report.figures import draw

    alt = (
        "Label efficiency: macro AUROC and AUPRC with 95 % intervals on "
        f"{plural(len(cohorts), 'external cohort')} against the percentage of the source's patients whose "
        "labels were given. The numbers are in a table."
    )
    return draw("efficiency", alt, lambda: _figure(cells, cohorts))


def series_of(record: ResultRecord) -> Series | None:
    """Say which line a cell belongs to; None for one that says nothing about labels."""
    protocol = PROTOCOLS.get(record.protocol)
    macro = record.evaluation.macro
    if protocol is None or protocol.unseen or record.relation != "external" or macro.auroc.value is None:
        return None
    if protocol.kind == "as-is" and not record.training:
        return None
    return Series(record.model.name, protocol.kind)


def share_of(record: ResultRecord) -> int:
    """Percentage of the labels that a cell was given: 0 for zero-shot."""
    protocol = PROTOCOLS[record.protocol]
    return 0 if protocol.kind == "zero-shot" else protocol.percent


def _figure(cells: Sequence[ResultRecord], cohorts: Sequence[str]) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    series = list(dict.fromkeys(found for record in cells if (found := series_of(record)) is not None))
    models = list(dict.fromkeys(one.model for one in series))
    colours = {model: PALETTE[at % len(PALETTE)] for at, model in enumerate(models)}
    columns = min(COLUMNS, len(cohorts))
    rows = 2 * -(-len(cohorts) // columns)
    width, height = 0.6 + columns * PANEL[0], TOP + rows * PANEL[1] + BOTTOM
    figure = Figure(figsize=(max(width, 6.5), height), facecolor="white")
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True)
    for axes in grid.flat:
        axes.set_visible(False)
    for at, cohort in enumerate(cohorts):
        own = [record for record in cells if record.cohort.id == cohort]
        block, column = divmod(at, columns)
        for metric, axes in zip(("auroc", "auprc"), grid[2 * block : 2 * block + 2, column], strict=True):
            axes.set_visible(True)
            _panel(axes, own, metric, series, colours)
            if column == 0:
                axes.set_ylabel(f"Macro {metric.upper()}")
    figure.subplots_adjust(
        left=0.6 / width, right=0.99, top=1 - TOP / height, bottom=BOTTOM / height, hspace=0.45, wspace=0.28
    )
    handles = [
        Line2D([], [], color=colours[s.model], ms=5, label=label(s.label), **STYLES[s.kind]) for s in series
    ]
    figure.legend(handles=handles, loc="lower center", ncols=3, frameon=False, fontsize=7.5)
    return figure


def _panel(
    axes: Axes,
    records: Sequence[ResultRecord],
    metric: str,
    series: Sequence[Series],
    colours: dict[str, str],
) -> None:
    macro = records[0].evaluation.macro
    simulated = " (simulated)" if records[0].cohort.simulated else ""
    if metric == "auroc":
        axes.set_title(f"{label(records[0].cohort.id)}{simulated}", fontsize=8.5, weight="bold", loc="left")
    chance = 0.5 if metric == "auroc" else macro.prevalence
    if chance is not None:
        axes.axhline(chance, color=FAINT, lw=1, ls=(0, (4, 3)))
    for at, one in enumerate(series):
        found = {
            POSITIONS[share_of(record)]: getattr(record.evaluation.macro, metric)
            for record in records
            if series_of(record) == one
        }
        shift = 0.24 * (at / max(1, len(series) - 1) - 0.5)  # so that intervals do not hide each other
        _line(axes, found, shift, one, colours[one.model])
    axes.set_xticks(list(POSITIONS.values()), [f"{percent} %" for percent in POSITIONS])
    axes.set_xlim(-0.35, len(POSITIONS) - 0.65)
    axes.tick_params(labelbottom=True, labelsize=7.5)
    axes.grid(True, axis="y", color=RULE, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.spines[["right", "top"]].set_visible(False)
    if metric == "auprc":
        axes.set_xlabel("of the source's labels", fontsize=7.5)


def _line(axes: Axes, found: dict[int, Estimate], shift: float, one: Series, colour: str) -> None:
    points = []
    for at, estimate in sorted(found.items(), key=lambda item: item[0]):
        if estimate.value is not None:
            points.append((at + shift, estimate.value))
        if estimate.low is not None and estimate.high is not None:
            axes.plot([at + shift] * 2, [estimate.low, estimate.high], color=colour, lw=1, alpha=0.7)
    axes.plot(
        [x for x, _ in points], [y for _, y in points], color=colour, ms=4.5, lw=1.2, **STYLES[one.kind]
    )
