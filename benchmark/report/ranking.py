"""Who may be compared with whom, and who comes first: real and simulated cohorts never together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations, product
from statistics import fmean

import numpy as np

from benchmark.metrics.comparison import rank_groups
from benchmark.metrics.names import METRICS, Metric
from benchmark.protocols.protocol import UNSEEN
from benchmark.records.comparability import same_labels
from benchmark.records.published_tasks import is_task
from benchmark.records.record import ResultRecord
from benchmark.records.resamples import CellName, Draws, name_of
from benchmark.records.run_folder import PlannedCell, RunFile
from benchmark.report.across_cohorts import ResampledCell, mean_draws, mean_over_cohorts
from benchmark.report.board import Board, Entry, Standing, entry_of


def make_boards(
    run: RunFile,
    records: Sequence[ResultRecord],
    draws: Draws | None = None,
    without_resamples: Mapping[CellName, str] | None = None,
    *,
    metric: Metric = "auroc",
) -> list[Board]:
    """Rank the entries of a run: on its real cohorts, and apart from that on its simulated ones.

    Conditions that were kept from a model are a question of their own, in a table of their own.

    Parameters
    ----------
    run, records
        As from `benchmark.records.run_folder.load_run`.
    draws, without_resamples
        As from `benchmark.records.run_folder.load_draws`. Without all of a ranking, ranks are by the means
        alone.
    metric
        Whose macro averages decide.

    Returns
    -------
    list of Board
        At least one; a board of real cohorts precedes one of simulated cohorts.
    """
    records = [record for record in records if record.protocol != UNSEEN.name]
    kinds: dict[str, set[bool]] = {}
    for record in records:
        kinds.setdefault(record.cohort.id, set()).add(record.cohort.simulated)
    there = {record.cohort.simulated for record in records} or {False}
    boards = []
    for simulated in sorted(there):
        # A cohort of which no cell is finished is of unknown kind: its cells count against both boards.
        plan = [
            cell
            for cell in run.cells
            if simulated in kinds.get(cell.cohort, there) and cell.protocol != UNSEEN.name
        ]
        own = [record for record in records if record.cohort.simulated == simulated]
        names = {name_of(record) for record in own}
        lacking = {name: why for name, why in (without_resamples or {}).items() if name in names}
        boards.append(_board(plan, own, simulated, draws or {}, lacking, metric))
    return boards


def _board(
    plan: Sequence[PlannedCell],
    records: Sequence[ResultRecord],
    simulated: bool,
    draws: Draws,
    without_resamples: Mapping[CellName, str],
    metric: Metric,
) -> Board:
    cells = {(entry_of(record), record.cohort.id): record for record in records}
    planned = {(Entry(cell.model, cell.protocol), cell.cohort): cell for cell in plan}
    reference: dict[str, tuple[str, ...]] = {}
    left_out: dict[str, str] = {}
    by_cohort: dict[str, list[ResultRecord]] = {}
    partial = _partial(cells)
    for key, record in cells.items():
        if record.relation == "external" and key not in partial:
            by_cohort.setdefault(record.cohort.id, []).append(record)
    for cohort, same in by_cohort.items():
        reference[cohort] = tuple(dict.fromkeys(c for r in same for c in r.evaluation.macro.concepts))
        if is_task(cohort):
            left_out[cohort] = "a published task, beside the ranking across hospitals"
        elif not reference[cohort]:
            left_out[cohort] = f"too few positives: {same[0].evaluation.macro.of(metric).reason}"
        elif not all(_measured_alike(*pair) for pair in combinations(same, 2)):
            left_out[cohort] = "its cells were measured on different records or labels; run them again"

    usable = {cohort for cohort in reference if cohort not in left_out}
    relations = {key: cell.relation for key, cell in planned.items()}
    relations |= {key: record.relation for key, record in cells.items()}
    entries = list(dict.fromkeys(entry for entry, _ in relations))
    common = common_cohorts(
        frozenset(c for c in usable if relations.get((entry, c)) == "external" and (entry, c) not in partial)
        for entry in entries
    )
    left_out |= dict.fromkeys(usable - common, "not external to all models that are compared")
    ranking = tuple(cohort for cohort in reference if cohort in common)
    standings = [_standing(entry, ranking, reference, cells, planned, partial, metric) for entry in entries]
    drawn = {standing.entry: _ranking_cells(standing, ranking, draws) for standing in standings}
    return Board(
        simulated=simulated,
        metric=metric,
        records=tuple(cells.values()),
        cohorts=ranking,
        reference=reference,
        left_out={cohort: left_out[cohort] for cohort in reference if cohort in left_out},
        standings=tuple(_ranked(standings, drawn)),
        draws=draws,
        without_resamples=without_resamples,
    )


def common_cohorts(external: Iterable[frozenset[str]]) -> frozenset[str]:
    """Choose the cohorts on which the most can be compared.

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


def _measured_alike(first: ResultRecord, second: ResultRecord) -> bool:
    """Whether two cells of a cohort are of the same records and labels."""
    return (
        _of_records(first) == _of_records(second)
        and first.records.scored == second.records.scored
        and same_labels(first.ontology, second.ontology)
    )


def _of_records(record: ResultRecord) -> tuple[str, str]:
    return record.cohort.fingerprint, record.records.selection


def _partial(cells: Mapping[tuple[Entry, str], ResultRecord]) -> dict[tuple[Entry, str], str]:
    """Find external cells of predictions that lack records which others have; one must not unrank them all.

    Returns
    -------
    Entry and cohort -> what is lacking.
    """
    most: dict[tuple[object, ...], int] = {}
    for record in cells.values():
        if record.relation == "external":
            where = _of_records(record)
            most[where] = max(record.records.scored, most.get(where, 0))
    return {
        key: f"predictions for {record.records.scored:,} of {whole:,} records of {record.cohort.id}"
        for key, record in cells.items()
        if record.relation == "external" and record.records.scored < (whole := most[_of_records(record)])
    }


def _standing(
    entry: Entry,
    ranking: Sequence[str],
    reference: Mapping[str, tuple[str, ...]],
    cells: Mapping[tuple[Entry, str], ResultRecord],
    planned: Mapping[tuple[Entry, str], PlannedCell],
    partial: Mapping[tuple[Entry, str], str],
    metric: Metric,
) -> Standing:
    own = [record for (owner, _), record in cells.items() if owner == entry]
    external = tuple(record for record in own if record.relation == "external")
    measured = {
        record.cohort.id: record
        for record in external
        if record.cohort.id in ranking and (entry, record.cohort.id) not in partial
    }
    macros = {c: measured[c].evaluation.macro.of(metric).value for c in ranking if c in measured}
    values = {cohort: value for cohort, value in macros.items() if value is not None}
    lacking = {c for cohort, r in measured.items() for c in _lacking(r, reference[cohort])}
    needed = list(dict.fromkeys(concept for cohort in measured for concept in reference[cohort]))
    reasons = [
        partial.get((entry, cohort)) or _why_missing(entry, cohort, cells, planned, metric)
        for cohort in ranking
        if cohort not in values
    ]
    if own and all(record.relation == "unknown" for record in own):
        reasons = ["training data undisclosed"]
    elif not own:
        reasons = ["no finished cell"]
    elif any(is_task(record.cohort.id) for record in own):
        reasons = ["a published task"]
    elif not ranking:
        reasons = ["no external cohort to rank on"]
    if lacking:
        names = ", ".join(concept for concept in needed if concept in lacking)
        reasons.append(f"{len(needed) - len(lacking)} of {len(needed)} concepts (without {names})")
    return Standing(
        entry=entry,
        rank=None,
        metric=metric,
        mean=fmean(values.values()) if values else None,
        spread=None,
        cohorts=tuple(values),
        concepts=tuple(concept for concept in needed if concept not in lacking),
        why_unranked="; ".join(reasons),
        internal=tuple(record for record in own if record.relation == "internal"),
        external=external,
        unknown=tuple(record for record in own if record.relation == "unknown"),
    )


def _lacking(record: ResultRecord, reference: Iterable[str]) -> set[str]:
    return set(reference) - set(record.evaluation.macro.concepts)


def _why_missing(
    entry: Entry,
    cohort: str,
    cells: Mapping[tuple[Entry, str], ResultRecord],
    planned: Mapping[tuple[Entry, str], PlannedCell],
    metric: Metric,
) -> str:
    cell = cells.get((entry, cohort)) or planned.get((entry, cohort))
    if cell is None:
        return f"not evaluated on {cohort}"
    if cell.relation == "internal":
        return f"trained on {cohort}"
    if cell.relation == "unknown":
        return f"may have been trained on {cohort}"
    return f"no macro {METRICS[metric]} on {cohort}"


def _ranking_cells(standing: Standing, ranking: Sequence[str], draws: Draws) -> list[ResampledCell | None]:
    """Cells that the mean is over, each at its cohort's place; empty if one has no resampled figures."""
    own = {record.cohort.id: record for record in standing.external if record.cohort.id in standing.cohorts}
    if not own or any(name_of(record) not in draws for record in own.values()):
        return []
    return [ResampledCell(own[c], draws[name_of(own[c])]) if c in own else None for c in ranking]


def _ranked(
    standings: Iterable[Standing], drawn: Mapping[Entry, Sequence[ResampledCell | None]]
) -> list[Standing]:
    """Sort by mean, ranked ones first; give a shared rank to those that do not differ significantly."""

    def place(standing: Standing) -> tuple[bool, bool, float, Entry]:
        return bool(standing.why_unranked), standing.mean is None, -(standing.mean or 0.0), standing.entry

    ordered = [
        replace(standing, spread=mean_over_cohorts(cells, standing.metric))
        if (cells := drawn[standing.entry])
        else standing
        for standing in sorted(standings, key=place)
    ]
    ranked = [standing for standing in ordered if not standing.why_unranked]
    means = [standing.mean for standing in ranked]
    ranks = [1 + means.index(mean) for mean in means]  # equal means share a rank: 1, 1, 3
    resamples = [
        mean_draws(cells, standing.metric)[1] for standing in ranked if (cells := drawn[standing.entry])
    ]
    if ranked and len(resamples) == len(ranked) and len({len(values) for values in resamples}) == 1:
        ranks = rank_groups(np.array(means, np.float64), np.stack(resamples, axis=1)).tolist()
    of_entry = {standing.entry: rank for standing, rank in zip(ranked, ranks, strict=True)}
    placed = [replace(standing, rank=of_entry.get(standing.entry)) for standing in ordered]
    # By rank before the mean: one with a wide interval may share a rank that one with a higher mean does not.
    return sorted(placed, key=lambda standing: (standing.rank is None, standing.rank or 0))
