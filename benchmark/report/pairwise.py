"""Two models of a run against each other: on each cohort, on each concept, and pooled."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from benchmark.exchange.gathering import gather, is_run
from benchmark.exchange.joining import Joined, join, one_run
from benchmark.metrics.bootstrap import group_records
from benchmark.metrics.comparison import holm, paired_difference
from benchmark.metrics.delong import delong_test
from benchmark.metrics.estimates import PairedDifference, Result, nan_if_none, none_if_nan
from benchmark.models.contamination import Relation
from benchmark.records.comparability import why_incomparable, why_not_of
from benchmark.records.naming import named
from benchmark.records.predictions import content_hash, load_predictions, score_tables
from benchmark.records.record import ResultRecord
from benchmark.records.resamples import name_of
from benchmark.records.run_folder import run_name
from benchmark.report.across_cohorts import ResampledCell
from benchmark.report.differences import compare
from benchmark.report.pairs import paired_auprc
from cohorts.catalogue import measured_cards
from cohorts.errors import UsageError
from cohorts.labelled import LabelledCohorts, signals_read


def compare_models(
    folder: Path, first: str, second: str, stores: LabelledCohorts | None = None
) -> Comparison:
    """Compare two models of a run, or of a folder of submissions, on every cohort that both have.

    Parameters
    ----------
    first, second
        ``MODEL``, or ``MODEL/PROTOCOL`` where the model has several.
    stores
        Gives labels for DeLong's test; without it the bootstrap alone is used. Submissions have no resampled
        figures, and need the labels to have them made again.

    Raises
    ------
    UsageError
        If a name is unknown or ambiguous, or the two cannot be compared on any cohort.
    LeadboardError
        If a file of the run is damaged.
    """
    results = one_run(folder) if is_run(folder) else join(gather([folder], stores), run_name(folder))
    names = [named(name, results.records) for name in (first, second)]
    if names[0] == names[1]:
        raise UsageError(f"'{first}' and '{second}' are the same; name two models of the run.")
    refused: dict[str, str] = {}
    sides = [_side(results, name, refused) for name in names]
    common = [cohort for cohort in sides[0] if cohort in sides[1]]
    for cohort in common:
        why = why_incomparable(*(side[cohort].record for side in sides))
        if why:
            refused[cohort] = f"measured on {why}"
    usable = [cohort for cohort in common if cohort not in refused]
    pairs = compare(*_cells_on(usable, sides))
    refused |= pairs.refused
    usable = [pair.cohort for pair in pairs.pairs]
    if not usable:
        said = "; ".join(f"{cohort}: {why}" for cohort, why in refused.items()) or "no cohort has both"
        raise UsageError(f"{'/'.join(names[0])} and {'/'.join(names[1])} cannot be compared: {said}.")
    notes: dict[str, None] = {}
    found = {
        pair.cohort: _cohort(
            results, sides[0][pair.cohort], sides[1][pair.cohort], pair.difference, stores, notes
        )
        for pair in pairs.pairs
    }
    external = [cohort for cohort in usable if set(found[cohort].relations) == {"external"}]
    pooled = compare(*_cells_on(external, sides))
    bootstrap = sides[0][usable[0]].record.evaluation.bootstrap
    return Comparison(
        first="/".join(names[0]),
        second="/".join(names[1]),
        resamples=bootstrap.resamples,
        seed=bootstrap.seed,
        cohorts=_adjusted(found),
        refused=refused,
        pooled=PairedDifference(
            value=pooled.pooled.value,
            low=pooled.pooled.low,
            high=pooled.pooled.high,
            reason=pooled.pooled.reason,
            undefined_fraction=0.0,
            p=pooled.pooled_p,
        ),
        pooled_over=tuple(external),
        simulated=tuple(c for c in usable if sides[0][c].record.cohort.simulated),
        notes=tuple(notes),
    )


def _cells_on(
    cohorts: Sequence[str], sides: Sequence[Mapping[str, ResampledCell]]
) -> tuple[list[ResampledCell], list[ResampledCell]]:
    first, second = sides
    return [first[cohort] for cohort in cohorts], [second[cohort] for cohort in cohorts]


def _side(results: Joined, name: tuple[str, str], refused: dict[str, str]) -> dict[str, ResampledCell]:
    """Cells of one model by cohort; those without resamples are refused."""
    found = {}
    for record in results.records:
        if (record.model.name, record.protocol) != name:
            continue
        if name_of(record) in results.draws:
            found[record.cohort.id] = ResampledCell(record, results.draws[name_of(record)])
        else:
            refused[record.cohort.id] = f"{record.model.name}: {results.lacking[name_of(record)]}"
    return found


def _cohort(
    results: Joined,
    one: ResampledCell,
    two: ResampledCell,
    auroc: PairedDifference,
    stores: LabelledCohorts | None,
    notes: dict[str, None],
) -> CohortComparison:
    shared = tuple(concept for concept in one.resampled.concepts if concept in two.resampled.concepts)
    labels = "give the releases with --data for DeLong's test" if stores is None else ""
    tests: Mapping[str, PairedDifference] = {}
    if stores is not None:
        tests, labels = _delong(results, (one.record, two.record), shared, stores)
    if labels:
        notes[f"Paired bootstrap only: {labels}."] = None
    return CohortComparison(
        relations=(one.record.relation, two.record.relation),
        scored=one.record.records.scored,
        macro_concepts=shared,
        auroc=auroc,
        auprc=paired_auprc(one, two),
        concepts={concept: _concept(concept, one, two, tests) for concept in shared},
    )


def _concept(
    concept: str, one: ResampledCell, two: ResampledCell, tests: Mapping[str, PairedDifference]
) -> ConceptComparison:
    (first, first_drawn), (second, second_drawn) = (cell.mean_auroc((concept,)) for cell in (one, two))
    metrics = one.record.evaluation.concepts[concept]
    return ConceptComparison(
        n=metrics.n,
        positives=metrics.positives,
        first=first,
        second=second,
        bootstrap=paired_difference(first, first_drawn, second, second_drawn),
        delong=tests.get(concept),
    )


def _delong(
    results: Joined,
    records: tuple[ResultRecord, ResultRecord],
    concepts: Sequence[str],
    stores: LabelledCohorts,
) -> tuple[dict[str, PairedDifference], str]:
    """DeLong's test of each concept, or why there is none."""
    cohort = records[0].cohort.id
    if cohort not in measured_cards():
        return {}, f"{cohort} is no cohort that is known here"
    store = stores(cohort, signals=signals_read(records[0].cohort.fingerprint))
    if store is None:
        return {}, f"{cohort} is not on this machine"
    if why_not_of(records[0], store):
        return {}, f"{cohort} here is not in the state that was measured"
    tables = []
    for record in records:
        predictions, _ = load_predictions(results.files[name_of(record)].predictions)
        if content_hash(predictions) != record.predictions.sha256:
            return {}, f"the predictions on {cohort} are not those that were measured"
        tables.append(predictions)
    if not tables[0]["record_id"].equals(tables[1]["record_id"]):
        return {}, f"the predictions on {cohort} are of different records"
    fits = [score_tables(table)[0] for table in tables]
    if any(len(of_model) > 1 for of_model in fits):
        return {}, f"a model has several fits on {cohort}, of which the mean is compared"
    rows = pd.Index(store.index["record_id"]).get_indexer(pd.Index(tables[0]["record_id"]))
    labels, index = store.labels.iloc[rows], store.index.iloc[rows]
    groups = group_records(index["patient_id"].reset_index(drop=True))
    one, two = (of_model[0] for of_model in fits)
    return {c: delong_test(labels[c], one[c], two[c], groups, name=c) for c in concepts}, ""


def _adjusted(found: Mapping[str, CohortComparison]) -> dict[str, CohortComparison]:
    """Adjust p values: of the macro AUROCs for all cohorts, of concepts for all concepts and cohorts."""

    def after(differences: Sequence[PairedDifference | None]) -> list[PairedDifference | None]:
        adjusted = holm([math.nan if d is None else nan_if_none(d.p) for d in differences])
        return [d and replace(d, p_holm=none_if_nan(p)) for d, p in zip(differences, adjusted, strict=True)]

    places = [(cohort, concept) for cohort, one in found.items() for concept in one.concepts]
    each = [found[cohort].concepts[concept] for cohort, concept in places]
    bootstrap, delong = after([c.bootstrap for c in each]), after([c.delong for c in each])
    auroc = after([one.auroc for one in found.values()])
    auprc = after([one.auprc for one in found.values()])
    concepts = {
        place: one.model_copy(update={"bootstrap": drawn, "delong": test})
        for place, one, drawn, test in zip(places, each, bootstrap, delong, strict=True)
    }
    return {
        cohort: one.model_copy(
            update={
                "auroc": auroc[at],
                "auprc": auprc[at],
                "concepts": {concept: concepts[cohort, concept] for concept in one.concepts},
            }
        )
        for at, (cohort, one) in enumerate(found.items())
    }


class ConceptComparison(Result):
    """AUROC of one concept: paired bootstrap, and DeLong's test where labels are at hand."""

    n: int
    positives: int
    first: float
    second: float
    bootstrap: PairedDifference
    delong: PairedDifference | None


class CohortComparison(Result):
    """Macro averages on one cohort, over the concepts eligible for both.

    Attributes
    ----------
    auprc
        None where the two macro averages are not over the same concepts.
    """

    relations: tuple[Relation, Relation]
    scored: int
    macro_concepts: tuple[str, ...]
    auroc: PairedDifference
    auprc: PairedDifference | None
    concepts: dict[str, ConceptComparison]


class Comparison(Result):
    """Two models of a run.

    Attributes
    ----------
    first, second
        ``model/protocol``.
    cohorts
        Where both were measured alike.
    refused
        Cohort -> why the two cannot be compared there.
    pooled
        Macro AUROC over the cohorts that are external to both, by a random-effects model.
    simulated
        Cohorts of synthetic patients among them.
    """

    first: str
    second: str
    resamples: int
    seed: int
    cohorts: dict[str, CohortComparison]
    refused: dict[str, str]
    pooled: PairedDifference
    pooled_over: tuple[str, ...]
    simulated: tuple[str, ...]
    notes: tuple[str, ...]
