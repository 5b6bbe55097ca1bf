"""The number itself: as the run states it, and computed once more from predictions and labels."""

from __future__ import annotations

from statistics import stdev
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import average_precision_score, roc_auc_score

from benchmark.metrics.estimates import Estimate
from benchmark.records.recomputation import TOLERANCE
from benchmark.records.record import ResultRecord
from benchmark.report.chain.link import Link
from benchmark.report.fits import seeds_of, spread_in_words
from benchmark.report.text import interval, number
from cohorts.counts import plural

METRICS = {"auroc": roc_auc_score, "auprc": average_precision_score}
"""Scikit-learn's, which the suite's own are checked by."""


def number_link(
    record: ResultRecord, concept: str, labels: npt.NDArray[np.int8] | None, fits: list[pd.Series[Any]]
) -> Link:
    """State the number, and compare it with what predictions and labels give here.

    Parameters
    ----------
    labels
        Of the records that were scored; None where the release is not here.
    fits
        Scores of each fit of the model.
    """
    metrics, drawn = record.evaluation.concepts.get(concept), record.evaluation.bootstrap
    if metrics is None:
        said = f"none: no record that was scored is annotated for {concept}"
        return Link("number", "The number", [("value", said)], {"auroc": None, "auprc": None, "reason": said})
    of_fits = {} if labels is None else {name: _again(name, labels, fits) for name in METRICS}
    again = {name: float(np.mean(values)) if values else None for name, values in of_fits.items()}
    lines: list[tuple[str, str]] = []
    differs: list[str] = []
    few = record.evaluation.macro.minimum
    for name in METRICS:
        stated: Estimate = getattr(metrics, name)
        lines.append((name.upper(), f"{interval(stated)}{f'; {stated.reason}' if stated.reason else ''}"))
        if name in again:
            same = _same(stated.value, again[name])
            lines.append(
                (
                    "",
                    f"scikit-learn, from these scores and labels: {_all(again[name])}, "
                    + ("the same" if same else "NOT the same"),
                )
            )
            if not same:
                differs.append(
                    f"The run has an {name.upper()} of {_all(stated.value)}, predictions and labels give "
                    f"{_all(again[name])}."
                )
    lines += [
        (
            "n",
            f"{plural(metrics.n, 'record')}, {metrics.positives:,} positive ({number(metrics.prevalence)})",
        ),
        (
            "interval",
            f"{drawn.level:.0%} percentile bootstrap: {drawn.resamples:,} resamples of {drawn.groups:,} "
            f"{drawn.unit}, seed {drawn.seed}; "
            f"{metrics.auroc.undefined_fraction:.1%} of them without both classes",
        ),
        *_lines_of_fits(record, len(fits), of_fits),
        *([] if metrics.eligible else [("macro average", f"not in it: fewer than {few} of a class")]),
        *([("caution", metrics.caution)] if metrics.caution else []),
    ]
    facts = metrics.model_dump(mode="json") | {
        "bootstrap": drawn.model_dump(mode="json"),
        "again": again or None,
        "fits": len(fits),
        "seeds_of_fits": [fit.seed for fit in record.training],
        "of_fits": of_fits or None,
    }
    return Link("number", "The number", lines, facts, differs=tuple(differs))


def _again(name: str, labels: npt.NDArray[np.int8], fits: list[pd.Series[Any]]) -> list[float]:
    """Compute what each fit gives; nothing where it is undefined."""
    known = labels >= 0
    if len(np.unique(labels[known])) < 2:
        return []
    return [float(METRICS[name](labels[known], fit.to_numpy()[known])) for fit in fits]


def _lines_of_fits(
    record: ResultRecord, fits: int, of_concept: dict[str, list[float]]
) -> list[tuple[str, str]]:
    """Say of which fits a number is the mean, and how much they differ."""
    if fits < 2:
        return []
    seeds = f", of seeds {seeds_of(record)}" if record.training else ""
    lines = [("fits", f"the mean over {fits}{seeds}")]
    if values := of_concept.get("auroc"):
        lines.append(("AUROC of each", spread_in_words(values, stdev(values))))
    deviation = record.evaluation.deviation("auroc")
    if deviation is not None:
        values = list(record.evaluation.of_fits("auroc"))
        lines.append(("macro of each", spread_in_words(values, deviation)))
    return lines


def _same(stated: float | None, found: float | None) -> bool:
    if stated is None or found is None:
        return stated is found
    return abs(stated - found) <= TOLERANCE


def _all(value: float | None) -> str:
    """Give all digits that two computations are compared by."""
    return "undefined" if value is None else f"{value:.9f}"
