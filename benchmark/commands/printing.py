"""Printing what `leadboard score` measures beside AUROC and AUPRC."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmark.commands.listing import WIDTH_IN_FILES, Row
from benchmark.metrics.cell.evaluation import ConceptMetrics, Estimate, Evaluation, MacroMetrics
from benchmark.metrics.cell.statistics import CellStatistics
from benchmark.metrics.checks import ELIGIBLE_MINIMUM
from benchmark.scoring.against_labels import ScoredTable


def print_statistics(found: CellStatistics) -> None:
    """Print the statistics of the eligible concepts."""
    if not found.concepts:
        return
    print(f"\nDeLong's interval, and AUPRC at a prevalence of {found.reference_prevalence:g}:")
    rows: list[Row] = [
        {
            "concept": name,
            "AUROC (DeLong)": shown_estimate(one.delong),
            "AUPRC at reference": shown_estimate(one.auprc_at_reference),
        }
        for name, one in found.concepts.items()
    ]
    rows.append({"concept": "macro", "AUPRC at reference": shown_estimate(found.macro_auprc_at_reference)})
    print_table(rows)
    _print_calibration(found)
    _print_subgroups(found)


def _print_calibration(found: CellStatistics) -> None:
    calibration = found.calibration
    if calibration is None:
        return
    print(f"\nCalibration (errors over {calibration.bins} bins; they rank nothing):")
    print_table(
        [
            {
                "concept": name,
                "Brier": shown_estimate(one.brier.score),
                "slope": shown_estimate(one.slope),
                "intercept": shown_estimate(one.intercept),
                "mean probability": f"{one.mean_probability:.3f}",
                "ECE equal width": f"{one.ece_equal_width:.3f}",
                "ECE equal mass": f"{one.ece_equal_mass:.3f}",
            }
            for name, one in calibration.concepts.items()
        ]
    )


def _print_subgroups(found: CellStatistics) -> None:
    for name, grouping in found.subgroups.items():
        print(f"\nMacro AUROC by {name}, over {', '.join(grouping.common) or 'no common concept'}:")
        if grouping.reason:
            print(f"{grouping.reason}.")
            continue
        print_table(
            [
                {"group": group, "records": one.records, "macro AUROC": shown_estimate(one.macro)}
                for group, one in grouping.groups.items()
            ]
        )
        if grouping.gap is not None:
            gap = grouping.gap
            print(f"Largest gap, {gap.highest} minus {gap.lowest}: {shown_estimate(gap.difference)}")


def print_extras(found: ScoredTable) -> None:
    """Print readers, Challenge scores and BCa intervals, as far as they were asked for."""
    for name, concepts in found.readers.items():
        print(f"\n{name}, and the model with no more false alarms:")
        print_table(
            [
                {
                    "concept": concept,
                    "n": one.n,
                    "positives": one.positives,
                    "sensitivity": shown_estimate(one.sensitivity),
                    "specificity": shown_estimate(one.specificity),
                    "model's sensitivity": _number(one.model_sensitivity),
                    "at specificity": _number(one.model_specificity),
                    "difference": _number(one.difference.value),
                    "95 %": f"[{_number(one.difference.low)}, {_number(one.difference.high)}]",
                    "p": _number(one.difference.p),
                    "McNemar p": _number(one.mcnemar),
                }
                for concept, one in concepts.items()
            ]
        )
    if found.challenge is not None:
        print(f"\nChallenge 2021, positive outputs from {found.challenge.decisions}:")
        names = ("challenge_metric", "auroc", "auprc", "accuracy", "f_measure")
        scores = {name.replace("_", " "): shown_estimate(getattr(found.challenge, name)) for name in names}
        print_table([{"score": name, "value": value} for name, value in scores.items()])
    _print_curves(found)
    _print_recalibrated(found)
    if found.bca is not None:
        print("\nBCa intervals:")
        print_table(
            [
                {"concept": name, "AUROC": shown_estimate(one.auroc), "AUPRC": shown_estimate(one.auprc)}
                for name, one in (*found.bca.concepts.items(), ("macro", found.bca.macro))
            ]
        )


def _print_curves(found: ScoredTable) -> None:
    if not found.curves:
        return
    print("\nMean distance of the smooth calibration curve from the diagonal (its points: --json):")
    print_table(
        [
            {"concept": name, "distance": _number(one.index), "why none": one.reason or ""}
            for name, one in found.curves.items()
        ]
    )


def _print_recalibrated(found: ScoredTable) -> None:
    if not found.recalibrated:
        return
    print("\nRecalibrated on a sample, measured on the others:")
    print_table(
        [
            {
                "concept": name,
                "sample (positives)": f"{one.sample} ({one.sample_positives})",
                "n (positives)": f"{one.n} ({one.positives})",
                "Brier before": "–" if one.brier_before is None else shown_estimate(one.brier_before),
                "Brier after": "–" if one.brier_after is None else shown_estimate(one.brier_after),
                "ECE before": _number(one.ece_before),
                "ECE after": _number(one.ece_after),
                "why none": one.reason or "",
            }
            for name, one in found.recalibrated.items()
        ]
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def print_table(rows: Sequence[Row], hide: Sequence[str] = ()) -> None:
    """Print rows as a table; with ``hide`` naming columns that only ``--json`` shows."""
    columns = [name for name in dict.fromkeys(key for row in rows for key in row) if name not in hide]
    table = Table(box=None, header_style="bold", pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column.replace("_", " "), overflow="fold", no_wrap=number == 0)
    for row in rows:
        table.add_row(*(Text(_shown(row.get(column))) for column in columns))
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH_IN_FILES)
    console.print(table)


def print_evaluation(evaluation: Evaluation) -> None:
    """Print the metrics of one table of scores."""
    rows: list[Row] = []
    for name, metrics in evaluation.concepts.items():
        rows.append(
            {
                "concept": name if metrics.eligible else f"{name} *",
                "AUROC": shown_estimate(metrics.auroc) + (" †" if metrics.caution else ""),
                "AUPRC": shown_estimate(metrics.auprc),
                "prevalence": "–" if metrics.prevalence is None else f"{metrics.prevalence:.3f}",
                "n": f"{metrics.n:,}",
                "positives": f"{metrics.positives:,}",
            }
        )
    macro = evaluation.macro
    rows.append(
        {
            "concept": f"macro of {len(macro.concepts)}",
            "AUROC": shown_estimate(macro.auroc),
            "AUPRC": shown_estimate(macro.auprc),
            "prevalence": "–" if macro.prevalence is None else f"{macro.prevalence:.3f}",
            "n": "",
            "positives": "",
        }
    )
    print_table(rows)
    settings = evaluation.bootstrap
    print(
        f"[low, high]: {settings.level:.0%} percentile bootstrap over {settings.groups:,} {settings.unit}, "
        f"{settings.resamples:,} resamples, seed {settings.seed}."
    )
    if any(not metrics.eligible for metrics in evaluation.concepts.values()):
        print(f"* fewer than {ELIGIBLE_MINIMUM} positives or negatives: not in the macro average.")
    if any(metrics.caution for metrics in evaluation.concepts.values()):
        print("† few positives for an AUROC this high: the interval is too narrow.")
    for reason, of in _without_interval(evaluation).items():
        print(f"[–] {', '.join(of)}: {reason}.")


def _without_interval(evaluation: Evaluation) -> dict[str, list[str]]:
    """Reason -> figures that have a value and no interval."""
    found: dict[str, list[str]] = {}
    measured: dict[str, ConceptMetrics | MacroMetrics] = {**evaluation.concepts, "macro": evaluation.macro}
    for name, metrics in measured.items():
        for metric, estimate in (("AUROC", metrics.auroc), ("AUPRC", metrics.auprc)):
            if estimate.value is not None and estimate.interval is None:
                found.setdefault(estimate.reason or "no interval", []).append(f"{name} {metric}")
    return found


def shown_estimate(estimate: Estimate) -> str:
    """Value with its interval, to three decimals."""
    if estimate.value is None:
        return "–"
    if estimate.interval is None:
        return f"{estimate.value:.3f} [–]"
    low, high = estimate.interval
    return f"{estimate.value:.3f} [{low:.3f}, {high:.3f}]"


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(value)
    return str(value)
