"""From labels and scores of one cohort to metrics with intervals: a pure function."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmark.metrics.bootstrap import (
    Bootstrap,
    Groups,
    Values,
    bootstrap,
    group_records,
    mean_bootstrap,
    missing_ids,
)
from benchmark.metrics.cell.resampled import Drawn as Drawn
from benchmark.metrics.cell.resampled import Resampled as Resampled
from benchmark.metrics.cell.results import BootstrapSettings as BootstrapSettings
from benchmark.metrics.cell.results import ConceptMetrics as ConceptMetrics
from benchmark.metrics.cell.results import Evaluation as Evaluation
from benchmark.metrics.cell.results import FitMetrics as FitMetrics
from benchmark.metrics.cell.results import MacroMetrics as MacroMetrics
from benchmark.metrics.checks import ELIGIBLE_MINIMUM, why_undefined
from benchmark.metrics.draws import RESAMPLES as RESAMPLES
from benchmark.metrics.estimates import Estimate, estimate_of, nan_if_none
from benchmark.metrics.intervals import caution, newcombe_interval, percentile_interval
from cohorts.errors import ModelError, UsageError

Scores = pd.DataFrame | npt.NDArray[Any]


def evaluate(
    labels: pd.DataFrame,
    scores: Scores | Sequence[Scores],
    patients: pd.Series[Any] | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    minimum: int = ELIGIBLE_MINIMUM,
    device: str = "cpu",
) -> Evaluation:
    """AUROC and AUPRC of every concept and their macro averages, with 95 % intervals.

    Parameters
    ----------
    labels
        ``[records, concepts]``: 1 positive, 0 negative, -1 not annotated here.
    scores
        ``[records, concepts]``, higher for more likely: a table with the same rows and, in any order,
        the same columns, or an array in the order of ``labels``. Or a list of such: of several fits of
        one model, whose metrics (not whose scores) are averaged.
    patients
        Patient of each record, missing where unknown. With a patient id anywhere, patients are drawn
        and a record without one is drawn as a patient of its own; otherwise records are drawn.
    resamples, seed
        Of the bootstrap. With 0 resamples there are no intervals.
    minimum
        Positives and negatives that make a concept eligible for the macro averages.
    device
        Of the bootstrap, as for `benchmark.metrics.bootstrap.bootstrap`.

    Raises
    ------
    ModelError
        If scores are not numbers, not finite or do not belong to these records and concepts.
    UsageError
        If labels, patients, resamples or seed are not as described.
    """
    return evaluate_resampled(
        labels, scores, patients, resamples=resamples, seed=seed, minimum=minimum, device=device
    )[0]


def evaluate_resampled(
    labels: pd.DataFrame,
    scores: Scores | Sequence[Scores],
    patients: pd.Series[Any] | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    minimum: int = ELIGIBLE_MINIMUM,
    device: str = "cpu",
) -> tuple[Evaluation, Resampled]:
    """Do what `evaluate` does, and give the resampled figures too."""
    if resamples < 0 or not 0 <= seed < 2**64:
        raise UsageError(
            f"{resamples} resamples from seed {seed} cannot be drawn: give 0 or more resamples and a seed "
            "from 0 to 2**64 - 1."
        )
    truth = _checked_labels(labels)
    fits = [scores] if isinstance(scores, pd.DataFrame | np.ndarray) else list(scores)
    values = [_checked_scores(fit, labels) for fit in fits]
    groups, unit, notes = _checked_patients(patients, labels.index)
    of_fits = [bootstrap(truth, fit, groups, resamples=resamples, seed=seed, device=device) for fit in values]
    drawn = mean_bootstrap(of_fits)
    settings = BootstrapSettings(
        resamples=resamples, seed=seed, unit=unit, groups=int(groups.max(initial=-1)) + 1
    )
    concepts = {
        str(name): _concept(truth[:, column], groups, drawn, column, settings, minimum)
        for column, name in enumerate(labels.columns)
    }
    eligible = [column for column, metrics in enumerate(concepts.values()) if metrics.eligible]
    why = f"no concept has at least {minimum} positives and {minimum} negatives"
    prevalences = [metrics.positives / metrics.n for metrics in concepts.values() if metrics.eligible]
    resampled = Resampled(
        macro_auroc=_mean(drawn.auroc_resamples, eligible),
        macro_auprc=_mean(drawn.auprc_resamples, eligible),
        concepts=tuple(name for name, metrics in concepts.items() if metrics.eligible),
        drawn=drawn.auroc_resamples[:, eligible].astype(np.float32),
        drawn_auprc=drawn.auprc_resamples[:, eligible].astype(np.float32),
    )
    macro = MacroMetrics(
        auroc=_estimate(float(_mean(drawn.auroc[None], eligible)[0]), resampled.macro_auroc, settings, why),
        auprc=_estimate(float(_mean(drawn.auprc[None], eligible)[0]), resampled.macro_auprc, settings, why),
        prevalence=math.fsum(prevalences) / len(prevalences) if prevalences else None,
        concepts=resampled.concepts,
        minimum=minimum,
    )
    evaluation = Evaluation(
        macro=macro,
        concepts=concepts,
        bootstrap=settings,
        fits=tuple(_fit_metrics(fit, eligible) for fit in of_fits) if len(of_fits) > 1 else (),
        notes=notes,
    )
    return evaluation, resampled


def _concept(
    truth: npt.NDArray[np.int8],
    groups: Groups,
    drawn: Bootstrap,
    column: int,
    settings: BootstrapSettings,
    minimum: int,
) -> ConceptMetrics:
    n, positives = int(np.count_nonzero(truth >= 0)), int(np.count_nonzero(truth == 1))
    why = why_undefined(positives, n - positives)
    independent = settings.groups == len(groups)
    ill = len(np.unique(groups[truth == 1]))  # ten recordings of one patient do not count ten times
    warning = caution(float(drawn.auroc[column]), ill)
    if ill < positives:
        warning = warning.replace("positives:", "patients with a positive:", 1)
    auroc = _estimate(drawn.auroc[column], drawn.auroc_resamples[:, column], settings, why)
    newcombe = newcombe_interval(nan_if_none(auroc.value), positives, n - positives)
    if newcombe is not None and auroc.value in (0, 1) and independent and auroc.low is not None:
        ends = f"{newcombe[0]:.3f} to {newcombe[1]:.3f}"
        auroc = replace(auroc, reason=f"{auroc.reason}; by Newcombe's method {ends}")
    return ConceptMetrics(
        auroc=auroc,
        auprc=_estimate(drawn.auprc[column], drawn.auprc_resamples[:, column], settings, why),
        n=n,
        positives=positives,
        prevalence=positives / n if n else None,
        eligible=min(positives, n - positives) >= max(minimum, 1),
        caution=warning or None,
    )


def _fit_metrics(fit: Bootstrap, eligible: list[int]) -> FitMetrics:
    if not eligible:
        return FitMetrics(auroc=None, auprc=None)
    return FitMetrics(auroc=float(fit.auroc[eligible].mean()), auprc=float(fit.auprc[eligible].mean()))


def _mean(values: Values, eligible: list[int]) -> Values:
    """Mean over the eligible concepts of each row, NaN where there is none."""
    means: Values = values[:, eligible].mean(axis=1) if eligible else np.full(len(values), np.nan)
    return means


def _estimate(value: float, resampled: Values, settings: BootstrapSettings, why: str) -> Estimate:
    undefined = float(np.isnan(resampled).mean()) if len(resampled) else 0.0
    if math.isnan(value):
        return estimate_of(value, reason=why, undefined_fraction=undefined)
    interval = percentile_interval(resampled, settings.level) if settings.groups > 1 else None
    if interval is None:
        reason = "no interval: " + _why_no_interval(settings)
        return estimate_of(value, reason=reason, undefined_fraction=undefined)
    width = ""
    if value in (0, 1) and interval[0] == interval[1]:
        width = f"an interval without width: at exactly {value:g} no resample differs, which is not certainty"
    return estimate_of(value, *interval, reason=width, undefined_fraction=undefined)


def _why_no_interval(settings: BootstrapSettings) -> str:
    if settings.resamples < 2:
        return f"{settings.resamples} resamples"
    if settings.groups < 2:
        return f"all records are of one {settings.unit.removesuffix('s')}"
    return f"defined in fewer than 2 of {settings.resamples} resamples"


def _checked_labels(labels: pd.DataFrame) -> npt.NDArray[np.int8]:
    for what, names in (("record", labels.index), ("concept", labels.columns)):
        if not names.is_unique:
            twice = names[names.duplicated()][0]
            raise UsageError(f"The labels have the {what} '{twice}' twice; give each {what} once.")
    for name in labels.columns:
        if not labels[name].isin((-1, 0, 1)).all():
            raise UsageError(
                f"The labels of '{name}' have values other than 1, 0 and -1; use -1 for not annotated."
            )
    return labels.to_numpy(dtype=np.int8)


def _checked_scores(scores: pd.DataFrame | npt.NDArray[Any], labels: pd.DataFrame) -> npt.NDArray[Any]:
    """Scores as float32 or float64 in the order of the labels' columns."""
    if not isinstance(scores, pd.DataFrame):
        if scores.shape != labels.shape:
            raise ModelError(f"The scores have shape {scores.shape}, but the labels have {labels.shape}.")
        scores = pd.DataFrame(scores, index=labels.index, columns=labels.columns)
    if not scores.index.equals(labels.index):
        raise ModelError("The rows of the scores are not the records of the labels in the same order.")
    if sorted(map(str, scores.columns)) != sorted(map(str, labels.columns)):
        raise ModelError(
            f"The scores have the concepts {', '.join(map(str, scores.columns))}, but the labels have "
            f"{', '.join(map(str, labels.columns))}."
        )
    scores = scores[labels.columns]
    for name, dtype in scores.dtypes.items():
        if dtype.kind not in "biuf":
            raise ModelError(f"The scores of '{name}' are not numbers but {dtype}.")
    single = all(dtype == np.float32 for dtype in scores.dtypes)
    values = scores.to_numpy(dtype=np.float32 if single else np.float64, na_value=np.nan)
    for column, name in enumerate(labels.columns):
        bad = np.count_nonzero(~np.isfinite(values[:, column]))
        if bad:
            raise ModelError(f"{bad} of {len(values)} scores of '{name}' are NaN or infinite.")
    return values


def _checked_patients(
    patients: pd.Series[Any] | None, records: pd.Index[Any]
) -> tuple[Groups, Literal["patients", "records"], tuple[str, ...]]:
    if patients is None:
        return np.arange(len(records)), "records", ()
    if not patients.index.equals(records):
        raise UsageError("The patient ids do not belong to the records of the labels in the same order.")
    missing = int(np.count_nonzero(missing_ids(patients)))
    if missing == len(patients):
        return np.arange(len(records)), "records", ()
    note = f"{missing} of {len(patients)} records have no patient id: each is drawn as a patient of its own."
    return group_records(patients), "patients", (note,) if missing else ()
