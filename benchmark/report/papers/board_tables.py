"""Tables of the report as an author takes them into a paper, each with what its caption must say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

from benchmark.exchange.joining import Joined
from benchmark.metrics.names import METRICS, Metric
from benchmark.protocols.protocol import PROTOCOLS
from benchmark.records.naming import named
from benchmark.records.record import ResultRecord
from benchmark.report.board import Board, Entry, entry_of
from benchmark.report.board_statistics import statistics_of
from benchmark.report.called_tables import called_tables
from benchmark.report.cell_tables import calibration_table, subgroup_tables
from benchmark.report.efficiency import series_of, share_of
from benchmark.report.operating_tables import operating_concepts
from benchmark.report.pairs import paired_differences
from benchmark.report.papers.names import TableName
from benchmark.report.papers.tables import chosen_cohorts, macro_table, told_by_cohort
from benchmark.report.papers.typesetting import PaperTable
from benchmark.report.ranking import make_boards
from benchmark.report.statistics_tables import gap_table, next_hospital_table
from benchmark.report.tables import Table, concept_tables
from benchmark.report.text import UNDEFINED, count, entry_labels, interval, number, signed
from cohorts.errors import UsageError

_SAID: Mapping[str, str] = {
    "concepts": "AUROC and AUPRC of each concept with {level} percentile bootstrap intervals.",
    "subgroups": (
        "Macro-average AUROC in groups of people with {level} percentile bootstrap intervals, over the "
        "concepts with enough positives and negatives in every group that has a value."
    ),
    "calibration": (
        "Calibration of scores that claim to be probabilities, the mean Brier score with its {level} "
        "percentile bootstrap interval from {fewer} resamples; ECE is the expected calibration error over "
        "ten bins."
    ),
    "operating-points": (
        "Sensitivity, specificity and predictive values; {level} intervals are Wilson's where every patient "
        "has one record, else from {fewer} resamples."
    ),
    "gaps": (
        "AUROC at home minus elsewhere, means over the concepts that are eligible in both cohorts, with "
        "{level} percentile bootstrap intervals."
    ),
    "next-hospital": (
        "Macro-average AUROC pooled over the external cohorts of each model by a random-effects model on the "
        "logits, with its {level} interval (Hartung-Knapp) and {level} prediction interval; variances from "
        "the resamples."
    ),
}
_BY_COHORT: Mapping[str, Callable[[Board], Sequence[Table]]] = {
    "concepts": concept_tables,
    "subgroups": subgroup_tables,
    "operating-points": lambda board: [*operating_concepts(board), *called_tables(board)],
}


def paper_tables(
    name: TableName,
    joined: Joined,
    cohorts: Sequence[str] = (),
    model: str | None = None,
    concepts: Sequence[str] = (),
) -> list[PaperTable]:
    """Make the tables of one name; those by cohort are one for each, and for each set of its records.

    Parameters
    ----------
    cohorts
        All of the run if none are given.
    model
        MODEL or MODEL/PROTOCOL: this one alone, or pairs with it.
    concepts
        That macro averages are over; no other table takes them.

    Raises
    ------
    UsageError
        If the run has no such model or cohort, or nothing for such a table.
    """
    if concepts and name not in ("macro-auroc", "macro-auprc"):
        raise UsageError(f"The table '{name}' is not over chosen concepts; leave --concept out.")
    chosen = chosen_cohorts(joined.records, cohorts)
    wanted = None if model is None else Entry(*named(model, joined.records))
    records = [r for r in joined.records if r.cohort.id in chosen and wanted in (None, entry_of(r))]
    if name == "differences":
        made = list(_differences(joined, chosen, wanted))
    elif not records:
        made = []
    elif name == "macro-auroc" or name == "macro-auprc":
        metric: Metric = "auroc" if name == "macro-auroc" else "auprc"
        made = [macro_table(records, metric, cohorts, concepts, joined.draws)]
    elif name == "label-efficiency":
        made = list(_efficiency(records, chosen))
    elif name in _BY_COHORT:
        made = [
            _typeset(name, table, board.records)
            for cohort in chosen
            for board in _boards(joined, [r for r in records if r.cohort.id == cohort])
            for table in _BY_COHORT[name](board)
        ]
    else:
        made = [
            _typeset(name, table, board.records)
            for board in _boards(joined, records)
            if (table := _of(name, board))
        ]
    if not made:
        raise UsageError(f"The run has nothing for the table '{name}' of what was chosen.")
    return made


def _of(name: str, board: Board) -> Table | None:
    """A table over all cohorts of a board."""
    if name == "calibration":
        return calibration_table(board)
    return (gap_table if name == "gaps" else next_hospital_table)(board, statistics_of(board))


def _boards(joined: Joined, records: Sequence[ResultRecord]) -> list[Board]:
    return make_boards(joined.plan, records, joined.draws, joined.lacking) if records else []


def _typeset(name: str, table: Table, records: Sequence[ResultRecord]) -> PaperTable:
    """Put a table of the report into plain text: marks refer to its notes, the caption says all it must."""
    notes = table.footnotes

    def shown(text: str, of: Sequence[str]) -> str:
        return " ".join([text, *(f"({notes[note]})" for note in of)])

    drawn = records[0]
    said = _SAID[name].format(
        level=f"{drawn.evaluation.bootstrap.level:.0%}", fewer=count(drawn.statistics.resamples)
    )
    return PaperTable(
        f"{said} {table.caption.rstrip('.')}. {_told(records)}",
        table.columns,
        tuple(tuple(shown(cell.text, cell.notes) for cell in row) for row in table.rows),
        tuple(notes),
        table.groups,
    )


def _told(records: Sequence[ResultRecord]) -> str:
    labels = entry_labels(dict.fromkeys(map(entry_of, records)))
    return told_by_cohort(records, list(dict.fromkeys(r.cohort.id for r in records)), labels)


def _differences(joined: Joined, cohorts: Sequence[str], wanted: Entry | None) -> Iterator[PaperTable]:
    """Every two models on every cohort: what ``leadboard compare`` says, p values of all cohorts."""
    for board in make_boards(joined.plan, joined.records, joined.draws, joined.lacking):
        labels = entry_labels(board.entries)
        rows = []
        for pair in paired_differences(board):
            entries = Entry(*pair["first"]), Entry(*pair["second"])
            if wanted is not None and wanted not in entries:
                continue
            one, two = (labels[entry] for entry in entries)
            rows += [
                (
                    one,
                    two,
                    cohort,
                    str(found["concepts"]),
                    *_difference(found["auroc"]),
                    *_difference(found["auprc"]),
                )
                for cohort, found in pair["cohorts"].items()
                if cohort in cohorts
            ]
        shown = [record for record in board.records if record.cohort.id in {row[2] for row in rows}]
        if not rows:
            continue
        level = f"{shown[0].evaluation.bootstrap.level:.0%}"
        yield PaperTable(
            f"Paired differences of macro averages with {level} percentile bootstrap intervals, from the "
            "same resamples for both models and over the concepts that are eligible for both; the AUPRC "
            "where both averages are over the same ones. p is two-sided, and adjusted by Holm's method for "
            f"all cohorts of a pair. {_told(shown)}",
            ("Model", "Minus", "Cohort", "Concepts", "AUROC", "p", "p (Holm)", "AUPRC", "p", "p (Holm)"),
            tuple(rows),
        )


def _difference(numbers: Sequence[float | None] | None) -> tuple[str, str, str]:
    if numbers is None or numbers[0] is None:
        return (UNDEFINED,) * 3
    value, low, high, p, adjusted = numbers
    ends = UNDEFINED if low is None or high is None else f"{signed(low)}, {signed(high)}"
    return f"{signed(value)} [{ends}]", number(p), number(adjusted)


def _efficiency(records: Sequence[ResultRecord], cohorts: Sequence[str]) -> Iterator[PaperTable]:
    """Models and shares of the labels by external cohort, AUROC and AUPRC."""
    told = [record for record in records if series_of(record) is not None]
    if len({share_of(record) for record in told} - {0}) < 2:
        return
    there = [cohort for cohort in cohorts if any(record.cohort.id == cohort for record in told)]
    rows: dict[tuple[str, str, str], dict[str, ResultRecord]] = {}
    for record in sorted(told, key=lambda r: (r.model.name, PROTOCOLS[r.protocol].kind, share_of(r))):
        kind = PROTOCOLS[record.protocol].kind.replace("-", " ")
        rows.setdefault((record.model.name, kind, f"{share_of(record)} %"), {})[record.cohort.id] = record
    level = f"{told[0].evaluation.bootstrap.level:.0%}"
    for metric, metric_name in METRICS.items():
        yield PaperTable(
            f"Macro-average {metric_name} on external cohorts by the share of the source's patients whose "
            f"labels were given, with {level} percentile bootstrap intervals; below 100 % the mean of "
            f"several nested subsets. {_told(told)}",
            ("Model", "Learning", "Labels", *there),
            tuple((*key, *(_macro(of.get(cohort), metric) for cohort in there)) for key, of in rows.items()),
        )


def _macro(record: ResultRecord | None, metric: Literal["auroc", "auprc"]) -> str:
    return UNDEFINED if record is None else interval(record.evaluation.macro.of(metric))
