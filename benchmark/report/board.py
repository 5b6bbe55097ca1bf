"""What is ranked, and the board that it stands on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from benchmark.metrics.checks import ELIGIBLE_MINIMUM
from benchmark.metrics.estimates import Estimate, estimate_of, undefined
from benchmark.metrics.intervals import estimate
from benchmark.metrics.names import METRICS, Metric
from benchmark.records.published_tasks import is_task
from benchmark.records.record import ResultRecord
from benchmark.records.resamples import CellName, Draws, name_of
from benchmark.report.across_cohorts import ResampledCell, mean_of
from cohorts.ontology.concept_sets import ALL

CONTROLS = "external to the controls"
"""The cohort set that is ranked within by default."""


class Entry(NamedTuple):
    """What is ranked: a model under a protocol."""

    model: str
    protocol: str


@dataclass(frozen=True, slots=True)
class Within:
    """Sets that a ranking is within.

    Attributes
    ----------
    concept_set, cohort_set
        Their names.
    concepts
        Of the set; None for all.
    cohorts
        Ids; None for those that are external to the controls.
    protocol
        Rank the entries of one protocol alone; what the ranking is over does not change by it. None for all.
    """

    concept_set: str = ALL
    concepts: frozenset[str] | None = None
    cohort_set: str = CONTROLS
    cohorts: tuple[str, ...] | None = None
    protocol: str | None = None

    @property
    def key(self) -> str:
        """Tells one choice from another; empty for the default."""
        sets = (self.concept_set, sorted(self.concepts or ()), self.cohort_set, self.cohorts)
        chosen = sets if self.protocol is None else (*sets, self.protocol)
        return "" if self == EVERYTHING else json.dumps(chosen)

    def __contains__(self, concept: object) -> bool:
        """Whether a concept is in the set."""
        return self.concepts is None or concept in self.concepts


EVERYTHING = Within()


@dataclass(frozen=True, slots=True)
class Standing:
    """One row of the leaderboard.

    Attributes
    ----------
    rank
        From 1; entries that do not differ significantly from the best of them share one. None for an entry
        that cannot be compared.
    metric
        What it is ranked by.
    mean
        Mean macro average of that metric over ``cohorts``: each over the reference concepts there, or over
        its own ones of the set where it lacks some, which ranks nobody.
    spread
        The same with its interval, None where resampled figures are missing.
    cohorts
        Ranking cohorts on which the entry has an external, defined macro average.
    concepts
        Reference concepts that its macro averages cover wherever it was measured.
    why_unranked
        Empty for a ranked entry.
    internal, external, unknown
        Its finished cells by relation, in plan order.
    """

    entry: Entry
    rank: int | None
    metric: Metric
    mean: float | None
    spread: Estimate | None
    cohorts: tuple[str, ...]
    concepts: tuple[str, ...]
    why_unranked: str
    internal: tuple[ResultRecord, ...]
    external: tuple[ResultRecord, ...]
    unknown: tuple[ResultRecord, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """One ranking and the cells that it was made from.

    Attributes
    ----------
    metric
        What the ranking is by.
    within
        The sets of concepts and of cohorts that it is within.
    records
        Finished cells on cohorts of this kind, in plan order.
    cohorts
        Ids of the cohorts that the ranking is over.
    reference
        Cohort -> concepts that a macro average there must cover, for all cohorts with external cells.
    left_out
        Cohort with external cells that the ranking is not over -> reason.
    of_models
        Cohorts of the ranking where the models' own concepts are the reference, for want of a control.
    standings
        Ranked entries first, by mean.
    draws
        Resampled figures of the cells that have them.
    without_resamples
        TableCell without resampled figures -> why.
    """

    simulated: bool
    metric: Metric
    within: Within
    records: tuple[ResultRecord, ...]
    cohorts: tuple[str, ...]
    reference: Mapping[str, tuple[str, ...]]
    left_out: Mapping[str, str]
    of_models: tuple[str, ...]
    standings: tuple[Standing, ...]
    draws: Draws
    without_resamples: Mapping[CellName, str]

    @property
    def metric_name(self) -> str:
        """The metric as tables name it."""
        return METRICS[self.metric]

    @property
    def by_groups(self) -> bool:
        """Whether ranks are by paired differences; without all resamples they are by the means alone."""
        ranked = [standing for standing in self.standings if standing.rank is not None]
        return all(standing.spread is not None for standing in ranked)

    def concepts_of(self, record: ResultRecord) -> tuple[str, ...]:
        """Concepts that the macro average of a cell is over: the reference, or its own ones of the set."""
        own = record.evaluation.macro.concepts
        asked = self.reference.get(record.cohort.id, ()) if record.relation == "external" else ()
        return asked if asked and set(asked) <= set(own) else tuple(c for c in own if c in self.within)

    def macro_of(self, record: ResultRecord) -> Estimate:
        """Macro average of a cell over `concepts_of` it."""
        whole, concepts = record.evaluation.macro, self.concepts_of(record)
        if set(concepts) == set(whole.concepts):
            return whole.of(self.metric)
        value = mean_of(record, concepts, self.metric)
        if value is None:
            return undefined(f"no concept of '{self.within.concept_set}' is eligible")
        cells = self.resampled_cells([record])
        figure = cells[0].over(concepts, self.metric) if cells else None
        return estimate(*figure) if figure else estimate_of(value, reason="no interval: not resampled")

    def chosen(self, records: Iterable[ResultRecord]) -> list[ResultRecord]:
        """Those of the cells that are on cohorts of a set that was chosen; all if none was."""
        cohorts = self.within.cohorts
        return [record for record in records if cohorts is None or record.cohort.id in cohorts]

    def lowest(self, standing: Standing) -> ResultRecord | None:
        """External cell of an entry with the lowest macro average."""
        external = self.chosen(standing.external)
        values = [(self.macro_of(record).value, at) for at, record in enumerate(external)]
        lowest = min(((value, at) for value, at in values if value is not None), default=None)
        return None if lowest is None else external[lowest[1]]

    def resampled_cells(self, records: Iterable[ResultRecord]) -> list[ResampledCell]:
        """Those of the cells that have their resampled figures."""
        return [ResampledCell(r, self.draws[name_of(r)]) for r in records if name_of(r) in self.draws]

    @property
    def of_task(self) -> bool:
        """Whether it is of a published task, on which nothing is ranked."""
        return any(is_task(record.cohort.id) for record in self.records)

    @property
    def minimum(self) -> int:
        """Positives, and negatives, that a concept needs to be eligible, as the records say."""
        return max((record.evaluation.macro.minimum for record in self.records), default=ELIGIBLE_MINIMUM)

    @property
    def entries(self) -> list[Entry]:
        """Entries in the order of the standings."""
        return [standing.entry for standing in self.standings]

    def ordered(self, records: Iterable[ResultRecord]) -> list[ResultRecord]:
        """Sort cells by cohort in plan order, and each cohort's by the standing of their entries."""
        cohorts = {cohort: at for at, cohort in enumerate(self.cohort_ids)}
        entries = {entry: at for at, entry in enumerate(self.entries)}
        return sorted(records, key=lambda record: (cohorts[record.cohort.id], entries[entry_of(record)]))

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
