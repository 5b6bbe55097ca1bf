"""Who may be compared with whom, and who comes first: real and simulated cohorts never together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from statistics import fmean
from typing import NamedTuple

from benchmark.metrics.evaluation import MINIMUM
from benchmark.protocols.protocol import UNSEEN
from benchmark.results import ResultRecord
from benchmark.run_folder import PlannedCell, RunFile


class Entry(NamedTuple):
    """What is ranked: a model under a protocol."""

    model: str
    protocol: str


@dataclass(frozen=True, slots=True)
class Standing:
    """One row of the leaderboard.

    Attributes
    ----------
    rank
        From 1; equal means share a rank. None for an entry that cannot be compared.
    mean
        Mean macro AUROC over ``cohorts``; no interval, since none follows from the cohorts' own intervals.
    cohorts
        Ranking cohorts on which the entry has an external, defined macro AUROC.
    concepts
        Reference concepts that its macro averages cover wherever it was measured.
    why_unranked
        Empty for a ranked entry.
    internal, external, unknown
        Its finished cells by relation, in plan order.
    """

    entry: Entry
    rank: int | None
    mean: float | None
    cohorts: tuple[str, ...]
    concepts: tuple[str, ...]
    why_unranked: str
    internal: tuple[ResultRecord, ...]
    external: tuple[ResultRecord, ...]
    unknown: tuple[ResultRecord, ...]

    @property
    def lowest(self) -> ResultRecord | None:
        """External cell with the lowest macro AUROC."""
        defined = [(macro_auroc(record), at) for at, record in enumerate(self.external)]
        lowest = min(((value, at) for value, at in defined if value is not None), default=None)
        return None if lowest is None else self.external[lowest[1]]


@dataclass(frozen=True, slots=True)
class Board:
    """One ranking and the cells that it was made from.

    Attributes
    ----------
    records
        Finished cells on cohorts of this kind, in plan order.
    cohorts
        Ids of the cohorts that the ranking is over.
    reference
        Cohort -> concepts that a macro average there must cover, for all cohorts with external cells.
    left_out
        Cohort with external cells that the ranking is not over -> reason.
    standings
        Ranked entries first, by rank.
    """

    simulated: bool
    records: tuple[ResultRecord, ...]
    cohorts: tuple[str, ...]
    reference: Mapping[str, tuple[str, ...]]
    left_out: Mapping[str, str]
    standings: tuple[Standing, ...]

    @property
    def entries(self) -> list[Entry]:
        """Entries in the order of the standings."""
        return [standing.entry for standing in self.standings]

    @property
    def cohort_ids(self) -> list[str]:
        """Measured cohorts in plan order."""
        return list(dict.fromkeys(record.cohort.id for record in self.records))

    @property
    def concepts(self) -> tuple[str, ...]:
        """Distinct reference concepts of the cohorts that the ranking is over."""
        return tuple(dict.fromkeys(concept for cohort in self.cohorts for concept in self.reference[cohort]))


def entry_of(record: ResultRecord) -> Entry:
    """Return what a record is a result of."""
    return Entry(record.model.name, record.protocol)


def macro_auroc(record: ResultRecord) -> float | None:
    """Macro AUROC of a cell, None where no concept is eligible."""
    return record.evaluation.macro.auroc.value


def make_boards(run: RunFile, records: Sequence[ResultRecord]) -> list[Board]:
    """Rank the entries of a run: on its real cohorts, and apart from that on its simulated ones.

    Answers for conditions that were kept from a model are a question of their own and stand elsewhere.

    Parameters
    ----------
    run, records
        As from `benchmark.run_folder.load_run`.

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
        boards.append(_board(plan, [r for r in records if r.cohort.simulated == simulated], simulated))
    return boards


def _board(plan: Sequence[PlannedCell], records: Sequence[ResultRecord], simulated: bool) -> Board:
    cells = {(entry_of(record), record.cohort.id): record for record in records}
    planned = {(Entry(cell.model, cell.protocol), cell.cohort): cell for cell in plan}
    reference: dict[str, tuple[str, ...]] = {}
    left_out: dict[str, str] = {}
    by_cohort: dict[str, list[ResultRecord]] = {}
    for record in cells.values():
        if record.relation == "external":
            by_cohort.setdefault(record.cohort.id, []).append(record)
    for cohort, same in by_cohort.items():
        reference[cohort] = tuple(dict.fromkeys(c for r in same for c in r.evaluation.macro.concepts))
        if not reference[cohort]:
            left_out[cohort] = (
                f"too few positives: no concept has {MINIMUM} positives and {MINIMUM} negatives"
            )
        elif len({_measured_on(record) for record in same}) > 1:
            left_out[cohort] = "its cells were measured on different records or labels; run them again"

    usable = {cohort for cohort in reference if cohort not in left_out}
    relations = {key: cell.relation for key, cell in planned.items()}
    relations |= {key: record.relation for key, record in cells.items()}
    entries = list(dict.fromkeys(entry for entry, _ in relations))
    common = common_cohorts(
        frozenset(c for c in usable if relations.get((entry, c)) == "external") for entry in entries
    )
    left_out |= dict.fromkeys(usable - common, "not external to all models that are compared")
    ranking = tuple(cohort for cohort in reference if cohort in common)
    standings = [_standing(entry, ranking, reference, cells, planned) for entry in entries]
    return Board(
        simulated=simulated,
        records=tuple(cells.values()),
        cohorts=ranking,
        reference=reference,
        left_out={cohort: left_out[cohort] for cohort in reference if cohort in left_out},
        standings=tuple(_ranked(standings)),
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


def _measured_on(record: ResultRecord) -> tuple[object, ...]:
    """Return what must be equal in two cells before their numbers may stand beside each other."""
    counts = record.records
    return record.cohort.fingerprint, record.ontology.hash, counts.selection, counts.scored


def _standing(
    entry: Entry,
    ranking: Sequence[str],
    reference: Mapping[str, tuple[str, ...]],
    cells: Mapping[tuple[Entry, str], ResultRecord],
    planned: Mapping[tuple[Entry, str], PlannedCell],
) -> Standing:
    own = [record for (owner, _), record in cells.items() if owner == entry]
    external = tuple(record for record in own if record.relation == "external")
    measured = {record.cohort.id: record for record in external if record.cohort.id in ranking}
    values = {c: v for c in ranking if c in measured and (v := macro_auroc(measured[c])) is not None}
    lacking = {c for cohort, r in measured.items() for c in _lacking(r, reference[cohort])}
    needed = list(dict.fromkeys(concept for cohort in measured for concept in reference[cohort]))
    reasons = [_why_missing(entry, cohort, cells, planned) for cohort in ranking if cohort not in values]
    if own and all(record.relation == "unknown" for record in own):
        reasons = ["training data undisclosed"]
    elif not own:
        reasons = ["no finished cell"]
    elif not ranking:
        reasons = ["no external cohort to rank on"]
    if lacking:
        names = ", ".join(concept for concept in needed if concept in lacking)
        reasons.append(f"{len(needed) - len(lacking)} of {len(needed)} concepts (without {names})")
    return Standing(
        entry=entry,
        rank=None,
        mean=fmean(values.values()) if values else None,
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
) -> str:
    cell = cells.get((entry, cohort)) or planned.get((entry, cohort))
    if cell is None:
        return f"not evaluated on {cohort}"
    if cell.relation == "internal":
        return f"trained on {cohort}"
    if cell.relation == "unknown":
        return f"may have been trained on {cohort}"
    return f"no macro AUROC on {cohort}"


def _ranked(standings: Iterable[Standing]) -> list[Standing]:
    """Sort, ranked ones first, and give equal means the same rank (1, 1, 3)."""

    def place(standing: Standing) -> tuple[bool, bool, float, Entry]:
        return bool(standing.why_unranked), standing.mean is None, -(standing.mean or 0.0), standing.entry

    ordered = sorted(standings, key=place)
    means = [standing.mean for standing in ordered if not standing.why_unranked]
    return [
        standing if standing.why_unranked else replace(standing, rank=1 + means.index(standing.mean))
        for standing in ordered
    ]
