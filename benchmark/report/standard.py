"""What a ranking is over: concepts and cohorts that stay the same whoever is ranked.

The benchmark's controls set the standard: the suite fits them to every concept that its source teaches and
runs them on every cohort, so what they are measured on says what source and cohort share, and no model
changes it. Where no control was measured, or none knows a concept of the set (such as echo findings, of which
the suite's source has none), the standard is what more than half of the models have.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from benchmark.metrics.names import Metric
from benchmark.records.comparability import same_labels
from benchmark.records.published_tasks import is_task
from benchmark.records.record import ResultRecord
from benchmark.report.board import Entry, Within, entry_of

Cells = Mapping[tuple[Entry, str], ResultRecord]


@dataclass(frozen=True, slots=True)
class Standard:
    """The standard of a ranking.

    Attributes
    ----------
    reference
        Cohort with external cells -> concepts that a model must cover there.
    like
        Cohort -> a cell that others must have been measured like.
    left_out
        Cohort that the ranking is not over, with external cells or asked for -> reason.
    cohorts
        Those that it is over.
    of_models
        Cohorts of the ranking where no control sets the standard.
    """

    reference: Mapping[str, tuple[str, ...]]
    like: Mapping[str, ResultRecord]
    left_out: Mapping[str, str]
    cohorts: tuple[str, ...]
    of_models: tuple[str, ...]


def standard_of(
    cells: Cells,
    partial: Collection[tuple[Entry, str]],
    relations: Mapping[tuple[Entry, str], str],
    within: Within,
    metric: Metric,
) -> Standard:
    """Fix the concepts and the cohorts of a ranking.

    Parameters
    ----------
    cells
        Entry and cohort -> finished cell.
    partial
        Cells of predictions that lack records.
    relations
        Of planned and finished cells.
    within
        The sets that were chosen.
    metric
        What the ranking is by.
    """
    by_cohort: dict[str, list[ResultRecord]] = {}
    for key, record in cells.items():
        if record.relation == "external" and key not in partial:
            by_cohort.setdefault(record.cohort.id, []).append(record)
    reference: dict[str, tuple[str, ...]] = {}
    like: dict[str, ResultRecord] = {}
    left_out: dict[str, str] = {}
    of_models = []
    for cohort, same in by_cohort.items():
        controls = [record for record in same if is_control(record)]
        setting = _most_alike(controls or same)
        if controls and not any(concept in within for one in controls for concept in one.model.outputs):
            models = [one for one in same if not is_control(one)]
            setting, controls = [one for one in models if setting and measured_alike(one, setting[0])], []
        reference[cohort] = _shared(setting, within)
        if setting:
            like[cohort] = setting[0]
        if not controls:
            of_models.append(cohort)
        if is_task(cohort):
            left_out[cohort] = "a published task, beside the ranking across hospitals"
        elif not setting:
            left_out[cohort] = "its cells were measured on different records or labels; run them again"
        elif not reference[cohort]:
            left_out[cohort] = _why_no_concept(same, within, metric)
    usable = {cohort for cohort in reference if cohort not in left_out}
    chosen, why = _chosen(cells, partial, relations, usable, within)
    left_out |= dict.fromkeys(usable - chosen, why)
    ranking = tuple(
        sorted(chosen)
    )  # in an order that no model changes: it decides which draws are independent
    return Standard(
        reference=reference,
        like=like,
        left_out={cohort: left_out[cohort] for cohort in reference if cohort in left_out}
        | {cohort: "no external cell" for cohort in within.cohorts or () if cohort not in reference},
        cohorts=ranking,
        of_models=tuple(cohort for cohort in ranking if cohort in of_models),
    )


def is_control(record: ResultRecord) -> bool:
    """Whether it is of a control of all models, not of a model or of the control of one."""
    return record.model.control_for == "any"


def _most_alike(records: Sequence[ResultRecord]) -> list[ResultRecord]:
    """More than half of the cells, measured alike; empty where there is no such majority."""
    ordered = sorted(records, key=lambda record: (entry_of(record), record.key))
    groups = ([other for other in ordered if measured_alike(one, other)] for one in ordered)
    most = max(groups, key=len, default=[])
    return most if 2 * len(most) > len(records) else []


def _shared(records: Sequence[ResultRecord], within: Within) -> tuple[str, ...]:
    """Chosen concepts that are eligible for more than half of the cells."""
    known = [set(record.evaluation.macro.concepts) for record in records]
    names = dict.fromkeys(c for record in records for c in record.evaluation.macro.concepts)
    return tuple(c for c in names if c in within and 2 * sum(c in own for own in known) > len(known))


def _why_no_concept(same: Sequence[ResultRecord], within: Within, metric: Metric) -> str:
    eligible = [record for record in same if record.evaluation.macro.concepts]
    if not eligible:
        return f"too few positives: {same[0].evaluation.macro.of(metric).reason}"
    if any(concept in within for record in eligible for concept in record.evaluation.macro.concepts):
        return "no concept is eligible for more than half of its models"
    return f"no concept of '{within.concept_set}' is eligible"


def _chosen(
    cells: Cells,
    partial: Collection[tuple[Entry, str]],
    relations: Mapping[tuple[Entry, str], str],
    usable: Collection[str],
    within: Within,
) -> tuple[frozenset[str], str]:
    """Cohorts of the ranking, and why any other is not among them."""
    if within.cohorts is not None:
        return frozenset(usable) & frozenset(within.cohorts), f"not in the cohort set '{within.cohort_set}'"
    controls = {entry for (entry, _), record in cells.items() if is_control(record)}
    of_controls = [(c, relation) for (entry, c), relation in relations.items() if entry in controls]
    external = {cohort for cohort, relation in of_controls if relation == "external"}
    external -= {cohort for cohort, relation in of_controls if relation == "internal"}
    if external:
        why = "not external to the controls, which set the standard; --cohort chooses others"
        return frozenset(usable) & external, why
    entries = dict.fromkeys(entry for entry, _ in relations)
    sets = (
        frozenset(c for c in usable if relations.get((entry, c)) == "external" and (entry, c) not in partial)
        for entry in entries
    )
    return common_cohorts(sets), "not external to all models that are compared"


def common_cohorts(external: Iterable[frozenset[str]]) -> frozenset[str]:
    """Choose the cohorts on which the most can be compared, where no control says which.

    A mean over some cohorts says nothing beside a mean over others, so a ranking needs one set of
    cohorts, external to every model in it. One model that has seen nearly everything in training must not
    leave the others without a ranking: the set chosen has the most (model, cohort) pairs; among equals,
    the most cohorts.

    Parameters
    ----------
    external
        For each entry the cohorts that are external to it.

    Examples
    --------
    >>> sorted(common_cohorts([frozenset("abc"), frozenset("abcd"), frozenset("a")]))
    ['a', 'b', 'c']
    """
    sets = [cohorts for cohorts in external if cohorts]
    candidates = {a & b for a, b in product(sets, sets)} - {frozenset()}
    return max(
        candidates,
        key=lambda chosen: (
            sum(chosen <= cohorts for cohorts in sets) * len(chosen),
            len(chosen),
            sorted(chosen),
        ),
        default=frozenset(),
    )


def measured_alike(first: ResultRecord, second: ResultRecord) -> bool:
    """Whether two cells of a cohort are of the same records and labels."""
    return (
        of_records(first) == of_records(second)
        and first.records.scored == second.records.scored
        and same_labels(first.ontology, second.ontology)
    )


def of_records(record: ResultRecord) -> tuple[str, str]:
    """Name the records of a cohort that a cell is of."""
    return record.cohort.fingerprint, record.records.selection


def partial_cells(cells: Cells) -> dict[tuple[Entry, str], str]:
    """Find external cells of predictions that lack records of their cohort.

    Returns
    -------
    Entry and cohort -> what is lacking.
    """
    most: dict[tuple[object, ...], int] = {}
    external = {key: record for key, record in cells.items() if record.relation == "external"}
    for record in external.values():
        most[of_records(record)] = max(record.records.scored, most.get(of_records(record), 0))
    found = {}
    for key, record in external.items():
        counts = record.records
        # Of all records none is unselected; how large a test fold is, only the other cells know.
        all_of_them = counts.selection == "all"
        whole = counts.scored + counts.unselected if all_of_them else most[of_records(record)]
        if counts.scored < whole:
            found[key] = f"predictions for {counts.scored:,} of {whole:,} records of {record.cohort.id}"
    return found
