"""From a result record, which names recordings, to an aggregate, which cannot."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import Literal, cast

import numpy as np
import numpy.typing as npt

from benchmark.exchange.aggregate import (
    GROUPINGS,
    RULE,
    AggregateBootstrap,
    AggregateCalibration,
    AggregateCall,
    AggregateCell,
    AggregateCohort,
    AggregateConcept,
    AggregateCounts,
    AggregateGroup,
    AggregateGroupConcept,
    AggregateGrouping,
    AggregateMacro,
    AggregatePretraining,
    AggregateTraining,
)
from benchmark.exchange.disclosure import (
    FINE,
    Disclosure,
    figure,
    proportion,
    pseudonym,
    resolution,
    significant,
)
from benchmark.exchange.identity import identity_of, weights_of
from benchmark.metrics.cell.calibration import ConceptCalibration
from benchmark.metrics.cell.evaluation import ConceptMetrics, Resampled
from benchmark.metrics.cell.operating_points import Called
from benchmark.metrics.cell.subgroups import Grouping
from benchmark.metrics.estimates import estimate_of, none_if_nan
from benchmark.metrics.intervals import Values, estimate
from benchmark.records.record import OntologyFacts, Pretraining, ResultRecord
from cohorts.catalogue import is_private, measured_cards
from cohorts.labelled import signals_read

_PATIENTS = re.compile(r"(\d+) (?:positives|patients with a positive):")


def aggregate_of(record: ResultRecord, resampled: Resampled, minimum: int, key: bytes) -> AggregateCell:
    """Summarise a cell so that nothing about a single record or patient, nor about a few, can be told.

    Parameters
    ----------
    resampled
        Its resampled figures, from which the standard errors are.
    minimum
        Smallest count that is given.
    key
        Secret of this site (`disclosure.site_key`).
    """
    settings, private = record.evaluation.bootstrap, is_private(record.cohort.id)
    rule = Disclosure(minimum, max(0, record.records.scored - settings.groups))
    concepts = {
        name: _concept(record, resampled, name, metrics, rule)
        for name, metrics in record.evaluation.concepts.items()
    }
    return AggregateCell(
        model=record.model.name,
        identity=identity_of(record),
        protocol=record.protocol,
        relation=record.relation,
        cohort=_cohort(record, private, key),
        minimum_count=minimum,
        records=_counts(record, rule),
        signals_read=signals_read(record.cohort.fingerprint),
        ontology=_ontology(record, private, key),
        bootstrap=AggregateBootstrap(
            resamples=settings.resamples, seed=settings.seed, level=settings.level, unit=settings.unit
        ),
        reference_prevalence=record.statistics.reference_prevalence,
        fits=record.statistics.fits,
        weights_sha256=weights_of(record),
        training=tuple(
            AggregateTraining(source=fit.source, percent=fit.percent, seed=fit.seed)
            for fit in record.training
        ),
        pretraining=_pretraining(record.pretraining),
        thresholds_from=record.provenance.thresholds.source,
        origin=record.origin,
        macro=_macro(record, resampled, concepts, minimum),
        concepts=concepts,
        subgroups={
            cast(Literal["sex", "age"], name): _grouping(record.statistics.subgroups[name], rule)
            for name in GROUPINGS
            if name in record.statistics.subgroups
        },
        software={"python": record.provenance.python, "leadboard": record.provenance.leadboard}
        | record.provenance.packages
        | ({"scores in": record.provenance.dtype} if record.provenance.rounding else {}),
    )


def _cohort(record: ResultRecord, private: bool, key: bytes) -> AggregateCohort:
    cohort = record.cohort
    return AggregateCohort(
        id=cohort.id,
        name=cohort.name,
        version="" if private else cohort.version,
        simulated=cohort.simulated,
        private=private,
        state=pseudonym(key, cohort.fingerprint) if private else cohort.fingerprint,
    )


def _counts(record: ResultRecord, rule: Disclosure) -> AggregateCounts:
    counts, settings = record.records, record.evaluation.bootstrap
    return AggregateCounts(
        selection=counts.selection,
        scored=rule.count(counts.scored, settings.groups),
        patients=rule.count(settings.groups, settings.groups) if settings.unit == "patients" else None,
        unselected=rule.records(counts.unselected),
        unusable=rule.records(counts.unusable),
    )


def _ontology(record: ResultRecord, private: bool, key: bytes) -> OntologyFacts:
    """Labelling; that of a private cohort is of the hospital's own codes and is told by a pseudonym."""
    if not private:
        return record.ontology
    return OntologyFacts(version=record.ontology.version, hash=pseudonym(key, record.ontology.hash))


def _pretraining(found: Pretraining | None) -> AggregatePretraining | None:
    if found is None:
        return None
    sources = tuple(source.cohort for source in found.sources)
    return AggregatePretraining(sources=sources, held_out=found.held_out, seed=found.seed)


def _concept(
    record: ResultRecord, resampled: Resampled, name: str, metrics: ConceptMetrics, rule: Disclosure
) -> AggregateConcept:
    n, positives = metrics.n, metrics.positives
    ill = _patients_with_a_positive(metrics)
    counts = AggregateConcept(n=rule.count(n), positives=rule.count(positives, ill))
    enough = ill >= rule.minimum if ill is not None else rule.gives(positives)
    if not (enough and rule.gives(n - positives)):
        return counts
    drawn = resampled.auroc[:, resampled.concepts.index(name)] if name in resampled.concepts else None
    more = record.statistics.concepts.get(name)
    calibration = record.statistics.calibration
    calibrated = calibration and calibration.concepts.get(name)
    called = record.statistics.calls.get(name, {}).get(RULE)
    return counts.model_copy(
        update={
            "auroc": figure(
                metrics.auroc,
                None if drawn is None else _error(drawn),
                most=resolution(positives, n - positives),
            ),
            "auprc": figure(metrics.auprc, most=2),
            "auprc_at_reference": figure(None if more is None else more.auprc_at_reference, most=2),
            "calibration": calibrated and _calibration(calibrated),
            "call": called and _call(called, rule, record.provenance.thresholds.source),
        }
    )


def _patients_with_a_positive(metrics: ConceptMetrics) -> int | None:
    """How many patients the positives are of, where the record says it."""
    stated = _PATIENTS.match(metrics.caution or "")
    return int(stated[1]) if stated else None


def _error(drawn: Values | npt.NDArray[np.float32]) -> float | None:
    """Standard error from the resamples in which a figure is defined."""
    defined = drawn[~np.isnan(drawn)].astype(np.float64)
    return none_if_nan(float(np.std(defined, ddof=1))) if len(defined) > 1 else None


def _calibration(found: ConceptCalibration) -> AggregateCalibration:
    slope, intercept = found.slope.value, found.intercept.value
    return AggregateCalibration(
        brier=round(found.brier.score.value or 0.0, 2),
        mean_probability=round(found.mean_probability, 2),
        slope=None if slope is None else significant(slope),
        intercept=None if intercept is None else significant(intercept),
        ece_equal_width=round(found.ece_equal_width, 2),
        ece_equal_mass=round(found.ece_equal_mass, 2),
    )


def _call(found: Called, rule: Disclosure, source: str | None) -> AggregateCall:
    """Give each rate that no small count can be worked out from: not even that there is none."""
    card = measured_cards().get(source or "")
    open_to_all = card is not None and card.access == "open"
    return AggregateCall(
        threshold=significant(found.threshold, 3) if open_to_all else None,
        sensitivity=proportion(found.sensitivity) if rule.gives(found.tp, found.fn) else None,
        specificity=proportion(found.specificity) if rule.gives(found.tn, found.fp) else None,
        ppv=proportion(found.ppv) if rule.gives(found.tp, found.fp) else None,
        npv=proportion(found.npv) if rule.gives(found.tn, found.fn) else None,
    )


def _macro(
    record: ResultRecord, resampled: Resampled, concepts: Mapping[str, AggregateConcept], minimum: int
) -> AggregateMacro:
    """Means over the eligible concepts that are given; a mean over others too would tell theirs."""
    macro = record.evaluation.macro
    given = [name for name in macro.concepts if concepts[name].auroc is not None]
    least = max(macro.minimum, minimum)
    found = [record.evaluation.concepts[name] for name in given]
    digits = _digits((one.positives, one.n) for one in found)
    if tuple(given) == macro.concepts:
        return AggregateMacro(
            auroc=figure(macro.auroc, _error(resampled.macro_auroc), most=digits),
            auprc=figure(macro.auprc, most=2),
            concepts=macro.concepts,
            minimum=least,
        )
    if not given:
        return AggregateMacro(auroc=None, auprc=None, concepts=(), minimum=least)
    columns = [resampled.concepts.index(name) for name in given]
    drawn = resampled.auroc[:, columns].mean(axis=1, dtype=np.float64)
    means = [
        fmean(getattr(record.evaluation.concepts[name], metric).value for name in given)
        for metric in ("auroc", "auprc")
    ]
    return AggregateMacro(
        auroc=figure(estimate(means[0], drawn), _error(drawn), most=digits),
        auprc=figure(estimate_of(means[1]), most=2),
        concepts=tuple(given),
        minimum=least,
    )


def _digits(counts: Iterable[tuple[int, int]]) -> int:
    """Decimals of a mean: no more than of any AUROC in it, which could be worked out from it and the others.

    Parameters
    ----------
    counts
        Positives and n of each concept.
    """
    return min((resolution(positives, n - positives) for positives, n in counts), default=FINE)


def _grouping(found: Grouping, rule: Disclosure) -> AggregateGrouping:
    """Give each group's figures where its counts can be; its macro where all that it is a mean of are."""
    groups: dict[str, AggregateGroup] = {}
    for name, group in found.groups.items():
        concepts = {
            concept: AggregateGroupConcept(
                n=rule.count(one.n),
                positives=rule.count(one.positives),
                auroc=figure(one.auroc, most=resolution(one.positives, one.n - one.positives))
                if rule.gives(one.positives, one.n - one.positives)
                else None,
            )
            for concept, one in group.concepts.items()
        }
        whole = all(concepts[concept].auroc is not None for concept in found.common)
        common = [group.concepts[concept] for concept in found.common]
        digits = _digits((one.positives, one.n) for one in common)
        groups[name] = AggregateGroup(
            records=rule.count(group.records),
            macro=figure(group.macro, most=digits) if whole and found.common else None,
            concepts=concepts,
        )
    return AggregateGrouping(common=found.common, groups=groups)
