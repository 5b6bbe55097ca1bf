"""Who may be compared with whom, and who comes first: real and simulated cohorts never together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmark.metrics.comparison import rank_groups
from benchmark.metrics.intervals import Values
from benchmark.metrics.names import Metric
from benchmark.protocols.protocol import UNSEEN
from benchmark.records.record import ResultRecord
from benchmark.records.resamples import CellName, Draws, name_of
from benchmark.records.run_file import PlannedCell, RunFile
from benchmark.report.board import EVERYTHING, Board, Entry, Standing, Within, entry_of
from benchmark.report.standard import partial_cells, standard_of
from benchmark.report.standing import Contest, standing_of


def make_boards(
    run: RunFile,
    records: Sequence[ResultRecord],
    draws: Draws | None = None,
    without_resamples: Mapping[CellName, str] | None = None,
    *,
    metric: Metric = "auroc",
    within: Within = EVERYTHING,
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
    within
        Concepts, cohorts and protocol that were chosen; by default all that the controls share with a cohort,
        on the cohorts that are external to them, and every protocol.

    Returns
    -------
    list of Board
        At least one; a board of real cohorts precedes one of simulated cohorts.
    """
    boards = []
    for cells in cells_by_kind(run, records, draws, without_resamples):
        ranking = Ranking(cells, metric, within)
        for entry in ranking.entries:
            ranking.add(entry)
        boards.append(ranking.board())
    return boards


@dataclass(frozen=True, slots=True)
class KindOfCells:
    """Planned and finished cells on cohorts of one kind, real or simulated."""

    simulated: bool
    plan: Sequence[PlannedCell]
    records: Sequence[ResultRecord]
    draws: Draws
    without_resamples: Mapping[CellName, str]


def cells_by_kind(
    run: RunFile,
    records: Sequence[ResultRecord],
    draws: Draws | None = None,
    without_resamples: Mapping[CellName, str] | None = None,
) -> list[KindOfCells]:
    """Part real from simulated cells: at least one kind, the real one first."""
    records = [record for record in records if record.protocol != UNSEEN.name]
    kinds: dict[str, set[bool]] = {}
    for record in records:
        kinds.setdefault(record.cohort.id, set()).add(record.cohort.simulated)
    there = {record.cohort.simulated for record in records} or {False}
    found = []
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
        found.append(KindOfCells(simulated, plan, own, draws or {}, lacking))
    return found


class Ranking:
    """A ranking while it is made: what it is over is fixed, and entries are added to it one at a time.

    Several may be made side by side, entry by entry, so that what was resampled is read once for all.

    Parameters
    ----------
    kind
        The cells.
    metric, within
        As of `make_boards`.
    """

    def __init__(self, kind: KindOfCells, metric: Metric, within: Within) -> None:
        self._kind, self._metric, self._within = kind, metric, within
        self._cells = {(entry_of(record), record.cohort.id): record for record in kind.records}
        planned = {(Entry(cell.model, cell.protocol), cell.cohort): cell for cell in kind.plan}
        relations = {key: cell.relation for key, cell in planned.items()}
        relations |= {key: record.relation for key, record in self._cells.items()}
        partial = partial_cells(self._cells)
        standard = standard_of(self._cells, partial, relations, within, metric)
        self._contest = Contest(standard, self._cells, planned, partial, metric, within)
        self._found: list[tuple[Standing, Values | None]] = []
        self.entries = [e for e in dict.fromkeys(e for e, _ in relations) if _is_of(within.protocol, e)]
        """All that are to be added."""

    def add(self, entry: Entry, draws: Draws | None = None) -> None:
        """Measure an entry against what the ranking is over.

        Parameters
        ----------
        draws
            Those of its cells, if they have means at hand; by default those of the ranking.
        """
        self._found.append(standing_of(entry, self._contest, self._kind.draws if draws is None else draws))

    def board(self, protocol: str | None = None) -> Board:
        """Rank the entries that were added; if a protocol is named, those of it alone."""
        standard = self._contest.standard
        entries = {entry for entry in self.entries if _is_of(protocol, entry)}
        return Board(
            simulated=self._kind.simulated,
            metric=self._metric,
            within=self._within if protocol is None else replace(self._within, protocol=protocol),
            records=tuple(record for (entry, _), record in self._cells.items() if entry in entries),
            cohorts=standard.cohorts,
            reference=standard.reference,
            left_out=standard.left_out,
            of_models=standard.of_models,
            standings=tuple(_ranked(one for one in self._found if one[0].entry in entries)),
            draws=self._kind.draws,
            without_resamples=self._kind.without_resamples,
        )


def _is_of(protocol: str | None, entry: Entry) -> bool:
    return protocol in (None, entry.protocol)


def _ranked(found: Iterable[tuple[Standing, Values | None]]) -> list[Standing]:
    """Sort by mean, ranked ones first; give a shared rank to those that do not differ significantly."""

    def place(one: tuple[Standing, Values | None]) -> tuple[bool, bool, float, Entry]:
        standing, _ = one
        return bool(standing.why_unranked), standing.mean is None, -(standing.mean or 0.0), standing.entry

    ordered = sorted(found, key=place)
    ranked = [standing for standing, _ in ordered if not standing.why_unranked]
    means = [standing.mean for standing in ranked]
    ranks = [1 + means.index(mean) for mean in means]  # equal means share a rank: 1, 1, 3
    drawn = [values for standing, values in ordered if not standing.why_unranked]
    resamples = [values for values in drawn if values is not None]
    if ranked and len(resamples) == len(ranked) and len({len(values) for values in resamples}) == 1:
        ranks = rank_groups(np.array(means, np.float64), np.stack(resamples, axis=1)).tolist()
    of_entry = {standing.entry: rank for standing, rank in zip(ranked, ranks, strict=True)}
    placed = [replace(standing, rank=of_entry.get(standing.entry)) for standing, _ in ordered]
    # By rank before the mean: one with a wide interval may share a rank that one with a higher mean does not.
    return sorted(placed, key=lambda standing: (standing.rank is None, standing.rank or 0))
