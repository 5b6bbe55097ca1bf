"""Tables on the terminal: rows of a list, and what `leadboard score` measures."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmark.commands.listing import Row
from benchmark.metrics.cell.evaluation import ConceptMetrics, Evaluation, MacroMetrics
from benchmark.metrics.cell.statistics import CellStatistics
from benchmark.report.text import UNDEFINED, count, interval, number
from benchmark.scoring.against_labels import ScoredTable
from benchmark.terminal import tell
from benchmark.text import visible
from cohorts.counts import plural

WIDTH_IN_FILES = 250
"""Columns of a table that is not printed on a terminal: wide enough not to fold."""


def print_statistics(found: CellStatistics) -> None:
    """Print the statistics of the eligible concepts."""
    if not found.concepts:
        return
    tell("", f"DeLong's interval, and AUPRC at a prevalence of {found.reference_prevalence:g}:")
    rows: list[Row] = [
        {
            "concept": name,
            "AUROC (DeLong)": interval(one.delong),
            "AUPRC at reference": interval(one.auprc_at_reference),
        }
        for name, one in found.concepts.items()
    ]
    rows.append({"concept": "macro", "AUPRC at reference": interval(found.macro_auprc_at_reference)})
    print_table(rows)
    _print_calibration(found)
    _print_subgroups(found)


def _print_calibration(found: CellStatistics) -> None:
    calibration = found.calibration
    if calibration is None:
        return
    tell("", f"Calibration (errors over {calibration.bins} bins; they rank nothing):")
    print_table(
        [
            {
                "concept": name,
                "Brier": interval(one.brier.score),
                "slope": interval(one.slope),
                "intercept": interval(one.intercept),
                "mean probability": f"{one.mean_probability:.3f}",
                "ECE equal width": f"{one.ece_equal_width:.3f}",
                "ECE equal mass": f"{one.ece_equal_mass:.3f}",
            }
            for name, one in calibration.concepts.items()
        ]
    )


def _print_subgroups(found: CellStatistics) -> None:
    for name, grouping in found.subgroups.items():
        tell("", f"Macro AUROC by {name}, over {', '.join(grouping.common) or 'no common concept'}:")
        if grouping.reason:
            tell(f"{grouping.reason}.")
            continue
        print_table(
            [
                {"group": group, "records": one.records, "macro AUROC": interval(one.macro)}
                for group, one in grouping.groups.items()
            ]
        )
        if grouping.gap is not None:
            gap = grouping.gap
            tell(f"Largest gap, {gap.highest} minus {gap.lowest}: {interval(gap.difference)}")


def print_extras(found: ScoredTable) -> None:
    """Print readers, Challenge scores and BCa intervals, as far as they were asked for."""
    for name, concepts in found.readers.items():
        tell("", f"{name}, and the model with no more false alarms:")
        print_table(
            [
                {
                    "concept": concept,
                    "n": one.n,
                    "positives": one.positives,
                    "sensitivity": interval(one.sensitivity),
                    "specificity": interval(one.specificity),
                    "model's sensitivity": number(one.model_sensitivity),
                    "at specificity": number(one.model_specificity),
                    "difference": number(one.difference.value),
                    "95 %": f"[{number(one.difference.low)}, {number(one.difference.high)}]",
                    "p": number(one.difference.p),
                    "McNemar p": number(one.mcnemar),
                }
                for concept, one in concepts.items()
            ]
        )
    if found.challenge is not None:
        tell("", f"Challenge 2021, positive outputs from {found.challenge.decisions}:")
        names = ("challenge_metric", "auroc", "auprc", "accuracy", "f_measure")
        scores = {name.replace("_", " "): interval(getattr(found.challenge, name)) for name in names}
        print_table([{"score": name, "value": value} for name, value in scores.items()])
    _print_curves(found)
    _print_recalibrated(found)
    if found.bca is not None:
        tell("", "BCa intervals:")
        print_table(
            [
                {"concept": name, "AUROC": interval(one.auroc), "AUPRC": interval(one.auprc)}
                for name, one in (*found.bca.concepts.items(), ("macro", found.bca.macro))
            ]
        )


def _print_curves(found: ScoredTable) -> None:
    if not found.curves:
        return
    tell("", "Mean distance of the smooth calibration curve from the diagonal (its points: --json):")
    print_table(
        [
            {"concept": name, "distance": number(one.index), "why none": one.reason or ""}
            for name, one in found.curves.items()
        ]
    )


def _print_recalibrated(found: ScoredTable) -> None:
    if not found.recalibrated:
        return
    tell("", "Recalibrated on a sample, measured on the others:")
    print_table(
        [
            {
                "concept": name,
                "sample (positives)": f"{one.sample} ({one.sample_positives})",
                "n (positives)": f"{one.n} ({one.positives})",
                "Brier before": UNDEFINED if one.brier_before is None else interval(one.brier_before),
                "Brier after": UNDEFINED if one.brier_after is None else interval(one.brier_after),
                "ECE before": number(one.ece_before),
                "ECE after": number(one.ece_after),
                "why none": one.reason or "",
            }
            for name, one in found.recalibrated.items()
        ]
    )


def print_table(rows: Sequence[Row], hide: Sequence[str] = ()) -> None:
    """Print rows as a table; with ``hide`` naming columns that only ``--json`` shows."""
    columns = [name for name in dict.fromkeys(key for row in rows for key in row) if name not in hide]
    table = Table(box=None, header_style="bold", pad_edge=False)
    for at, column in enumerate(columns):
        table.add_column(_text(column.replace("_", " ")), overflow="fold", no_wrap=at == 0)
    for row in rows:
        table.add_row(*(_text(_shown(row.get(column))) for column in columns))
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH_IN_FILES)
    console.print(table)


def _text(words: str) -> Text:
    """Text as it is, in which nothing is obeyed."""
    return Text(visible(words))


def print_evaluation(evaluation: Evaluation) -> None:
    """Print the metrics of one table of scores."""
    rows: list[Row] = []
    for name, metrics in evaluation.concepts.items():
        rows.append(
            {
                "concept": name if metrics.eligible else f"{name} *",
                "AUROC": interval(metrics.auroc) + (" †" if metrics.caution else ""),
                "AUPRC": interval(metrics.auprc),
                "prevalence": number(metrics.prevalence),
                "n": count(metrics.n),
                "positives": count(metrics.positives),
            }
        )
    macro = evaluation.macro
    rows.append(
        {
            "concept": f"macro of {len(macro.concepts)}",
            "AUROC": interval(macro.auroc),
            "AUPRC": interval(macro.auprc),
            "prevalence": number(macro.prevalence),
            "n": "",
            "positives": "",
        }
    )
    print_table(rows)
    settings = evaluation.bootstrap
    tell(
        f"[low, high]: {settings.level:.0%} percentile bootstrap over {settings.groups:,} {settings.unit}, "
        f"{plural(settings.resamples, 'resample')}, seed {settings.seed}."
    )
    if any(not metrics.eligible for metrics in evaluation.concepts.values()):
        tell(f"* fewer than {evaluation.macro.minimum} positives or negatives: not in the macro average.")
    if any(metrics.caution for metrics in evaluation.concepts.values()):
        tell("† few positives for an AUROC this high: the interval is too narrow.")
    for reason, of in _without_interval(evaluation).items():
        tell(f"[–] {', '.join(of)}: {reason}.")


def _without_interval(evaluation: Evaluation) -> dict[str, list[str]]:
    """Reason -> figures that have a value and no interval."""
    found: dict[str, list[str]] = {}
    measured: dict[str, ConceptMetrics | MacroMetrics] = {**evaluation.concepts, "macro": evaluation.macro}
    for name, metrics in measured.items():
        for metric, estimate in (("AUROC", metrics.auroc), ("AUPRC", metrics.auprc)):
            if estimate.value is not None and estimate.interval is None:
                found.setdefault(estimate.reason or "no interval", []).append(f"{name} {metric}")
    return found


def _shown(value: Any) -> str:
    if value is None:
        return UNDEFINED
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return count(value)
    if isinstance(value, list):
        return ", ".join(value)
    return str(value)
