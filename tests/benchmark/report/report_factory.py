"""Result records and run folders made by hand, for the tests of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from benchmark.metrics.cell.evaluation import (
    BootstrapSettings,
    ConceptMetrics,
    Estimate,
    Evaluation,
    MacroMetrics,
    Resampled,
)
from benchmark.metrics.cell.statistics import CellStatistics
from benchmark.models.model_card import ModelCard
from benchmark.records.record import (
    CohortFacts,
    OntologyFacts,
    PredictionsFile,
    Provenance,
    Quarantined,
    RecordCounts,
    ResultRecord,
    save_record,
)
from benchmark.records.resamples import resamples_path, save_resamples
from benchmark.records.run_file import AbsentCohort, PlannedCell, RunFile, save_run
from benchmark.records.run_folder import cell_path

CREATED = "2025-01-01T00:00:00+00:00"


def estimate(value: float | None, width: float = 0.02, **changes: Any) -> Estimate:
    """An estimate with an interval of ``width`` to either side."""
    facts: dict[str, Any] = {"value": value, "low": None, "high": None, "undefined_fraction": 0.0}
    if value is None:
        facts["reason"] = "no positive record"
    else:
        facts |= {"low": max(0.0, value - width), "high": min(1.0, value + width)}
    return Estimate(**(facts | changes))


def concept(auroc: float | None, positives: int | None = None, n: int = 100) -> ConceptMetrics:
    """One concept, eligible by the rule of ten; without a positive record where it is undefined."""
    positives = (0 if auroc is None else 20) if positives is None else positives
    return ConceptMetrics(
        auroc=estimate(auroc),
        auprc=estimate(None if auroc is None else auroc / 2),
        n=n,
        positives=positives,
        prevalence=positives / n if n else None,
        eligible=min(positives, n - positives) >= 10,
    )


def evaluation(concepts: Mapping[str, ConceptMetrics]) -> Evaluation:
    """An evaluation whose macro is the mean over its eligible concepts."""
    eligible = {name: metrics for name, metrics in concepts.items() if metrics.eligible}
    nothing = estimate(None, reason="no concept has at least 10 positives and 10 negatives")
    macro = MacroMetrics(auroc=nothing, auprc=nothing, prevalence=None, concepts=())
    if eligible:
        macro = MacroMetrics(
            auroc=estimate(fmean(m.auroc.value for m in eligible.values() if m.auroc.value is not None)),
            auprc=estimate(fmean(m.auprc.value for m in eligible.values() if m.auprc.value is not None)),
            prevalence=fmean(m.positives / m.n for m in eligible.values()),
            concepts=tuple(eligible),
        )
    return Evaluation(
        macro=macro,
        concepts=dict(concepts),
        bootstrap=BootstrapSettings(resamples=1000, seed=7, unit="patients", groups=90),
    )


def statistics(**changes: Any) -> CellStatistics:
    """Statistics of a cell of which nothing but AUROC and AUPRC was measured."""
    facts: dict[str, Any] = {
        "fits": 1,
        "resamples": 1000,
        "reference_prevalence": 0.1,
        "macro_auprc_at_reference": estimate(None),
        "concepts": {},
        "calibration": None,
        "why_no_calibration": "the scores claim to be no probabilities",
        "calls": {},
        "why_no_calls": "ptb-xl is not on this machine",
        "subgroups": {},
    }
    return CellStatistics(**(facts | changes))


def record(
    model: str = "net",
    cohort: str = "georgia",
    aurocs: Mapping[str, float | ConceptMetrics | None] | None = None,
    *,
    relation: str = "external",
    protocol: str = "as_is",
    simulated: bool = False,
    fingerprint: str = "f00d",
    skipped: Mapping[str, str] | None = None,
    card: Mapping[str, Any] | None = None,
    facts: Mapping[str, Any] | None = None,
    **changes: Any,
) -> ResultRecord:
    """One finished cell; ``aurocs`` gives a value or whole metrics for each concept."""
    given = {"AF": 0.9, "LBBB": 0.8} if aurocs is None else aurocs
    concepts = {name: m if isinstance(m, ConceptMetrics) else concept(m) for name, m in given.items()}
    reasons: dict[str, list[str]] = {}
    for name, reason in (skipped or {}).items():
        reasons.setdefault(reason, []).append(name)
    left = tuple(Quarantined(reason=reason, record_ids=tuple(ids)) for reason, ids in reasons.items())
    content: dict[str, Any] = {
        "key": "0123",
        "model": ModelCard(
            **(
                {
                    "name": model,
                    "licence": "MIT",
                    "citation": "Doe 2020",
                    "outputs": tuple(given),
                    "trained_on": ("ptb-xl",),
                }
                | dict(card or {})
            )
        ),
        "weights_sha256": (),
        "training": (),
        "pretraining": None,
        "protocol": protocol,
        "cohort": CohortFacts(
            **(
                {
                    "id": cohort,
                    "name": cohort.title(),
                    "version": "1.0",
                    "fingerprint": fingerprint,
                    "simulated": simulated,
                    "release_records": None,
                }
                | dict(facts or {})
            )
        ),
        "relation": relation,
        "records": RecordCounts(
            selection="test" if relation == "internal" else "all",
            found=100 + len(skipped or {}),
            scored=100,
            unselected=0,
            quarantined=left,
        ),
        "ontology": OntologyFacts(version="1", hash="abcd"),
        "evaluation": evaluation(concepts),
        "statistics": statistics(),
        "predictions": PredictionsFile(file=f"{cohort}.parquet", sha256="00", rows=100),
        "provenance": Provenance(
            leadboard="0.1.0",
            commit=None,
            python="3.11.9",
            platform="Linux",
            packages={"numpy": "2.1.0", "torch": "2.6.0"},
            device="cpu",
            dtype="float32",
            batch_size=32,
            seconds=1.5,
            records_per_second=66.7,
            created=CREATED,
        ),
    }
    return ResultRecord(**(content | changes))


def planned(model: str, cohort: str, status: str = "failed", **changes: Any) -> PlannedCell:
    """A line of the plan without a result."""
    facts = {"protocol": "as_is", "relation": "external", "key": "k", "reason": None}
    return PlannedCell(**({"model": model, "cohort": cohort, "status": status} | facts | changes))


def run_file(
    records: Sequence[ResultRecord],
    unfinished: Sequence[PlannedCell] = (),
    *,
    absent: Mapping[str, str] | None = None,
    warnings: Sequence[str] = (),
    name: str = "a-run",
) -> RunFile:
    """The plan to which these records belong."""
    done = [
        planned(r.model.name, r.cohort.id, "done", protocol=r.protocol, relation=r.relation) for r in records
    ]
    return RunFile(
        name=name,
        seed=7,
        resamples=1000,
        cells=(*done, *unfinished),
        absent=tuple(AbsentCohort(cohort=c, reason=reason) for c, reason in (absent or {}).items()),
        warnings=tuple(warnings),
        environment={"cpu": "2 cores"},
    )


def write_run(folder: Path, records: Sequence[ResultRecord], *args: Any, **changes: Any) -> Path:
    """Write a run folder as the runner does."""
    for one in records:
        save_record(one, cell_path(folder, one.model.name, one.protocol, one.cohort.id))
    save_run(folder, run_file(records, *args, **changes))
    return folder


def drawn(
    one: ResultRecord, seed: int = 0, noise: float = 0.01, resamples: int = 400
) -> tuple[ResultRecord, Resampled]:
    """Resampled figures around those of a record, and the record with the intervals that they give.

    Cells of one seed have the same noise: they are as paired as can be.
    """
    eligible = one.evaluation.macro.concepts
    settings = one.evaluation.bootstrap.model_copy(update={"resamples": resamples})
    if not eligible:
        none, empty = np.full(resamples, np.nan), np.empty((resamples, 0), np.float32)
        without = one.evaluation.model_copy(update={"bootstrap": settings})
        nothing = Resampled(none, none, (), drawn=empty, drawn_auprc=empty)
        return one.model_copy(update={"evaluation": without}), nothing
    rng = np.random.default_rng(seed)
    noises = rng.normal(0, noise, (2, resamples, len(eligible)))
    found = one.evaluation.concepts
    areas = [
        np.array([getattr(found[c], metric).value for c in eligible]) + noises[at]
        for at, metric in enumerate(("auroc", "auprc"))
    ]
    macros, each = [one.mean(axis=1) for one in areas], [one.astype(np.float32) for one in areas]
    resampled = Resampled(*macros, eligible, drawn=each[0], drawn_auprc=each[1])
    macro = one.evaluation.macro
    ends = [np.percentile(values, [2.5, 97.5]) for values in (resampled.macro_auroc, resampled.macro_auprc)]
    estimates = [
        replace(old, low=float(low), high=float(high))
        for old, (low, high) in zip((macro.auroc, macro.auprc), ends, strict=True)
    ]
    macro = macro.model_copy(update={"auroc": estimates[0], "auprc": estimates[1]})
    evaluation = one.evaluation.model_copy(update={"macro": macro, "bootstrap": settings})
    return one.model_copy(update={"evaluation": evaluation}), resampled


def write_drawn(folder: Path, cells: Sequence[tuple[ResultRecord, Resampled]], **changes: Any) -> Path:
    """Write a run folder with the resampled figures of its cells."""
    for one, resampled in cells:
        path = cell_path(folder, one.model.name, one.protocol, one.cohort.id)
        save_resamples(one, resampled, resamples_path(path))
    return write_run(folder, [one for one, _ in cells], **changes)
