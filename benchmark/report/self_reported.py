"""What aggregate submissions tell: beside the leaderboard and never in it, since nobody can recompute it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from benchmark.exchange.aggregate import AggregateCell, AggregateConcept
from benchmark.exchange.disclosure import Count, Figure
from benchmark.exchange.gathering import Source, Told
from benchmark.report.self_reported_pool import PooledWith
from benchmark.report.statistics_tables import pooled_cell, prediction_cell
from benchmark.report.tables import DASH, Table, TableCell, count_cell, fact_table, number_cell, text_cell
from benchmark.report.text import count, number
from benchmark.text import one_line

SELF_REPORTED_WORDS = (
    "Told by hospitals whose recordings stay where they are: metrics without the predictions that they were "
    "made from. What could be checked is that the files are whole and their numbers go together; nobody else "
    "can make them again. So they are marked self-reported, no model is ranked by them, and the pooled "
    "values with them stand beside those without. Counts are rounded, and what a small count could be worked "
    "out from is left out."
)


def self_reported_tables(told: Sequence[Told], pooled: Sequence[PooledWith]) -> list[tuple[Table, bool]]:
    """All tables of this module that have a row, each with whether it is to be collapsed."""
    tables: list[tuple[Table, bool]] = []
    for simulated in (False, True):
        own = [one for one in told if one.cell.cohort.simulated == simulated]
        tables += [
            (_cells_table(own, simulated), False),
            (_pooled_table([one for one in pooled if one.simulated == simulated], simulated), False),
            (_concepts_table(own, simulated), True),
            (_groups_table(own, simulated), True),
        ]
    return [(table, collapsed) for table, collapsed in tables if table.rows]


def _caption(text: str, simulated: bool) -> str:
    return f"Simulated cohorts, not patients: {text}" if simulated else text[0].upper() + text[1:]


def _cells_table(told: Sequence[Told], simulated: bool) -> Table:
    rows = [
        (
            text_cell(one.cell.model),
            text_cell(one.cell.protocol),
            _cohort_cell(one.cell),
            text_cell("self-reported"),
            text_cell(one.cell.relation),
            rounded_cell(one.cell.records.scored),
            DASH if one.cell.records.patients is None else rounded_cell(one.cell.records.patients),
            figure_cell(one.cell.macro.auroc),
            figure_cell(one.cell.macro.auprc),
            count_cell(len(one.cell.macro.concepts), *_concept_note(one.cell)),
            count_cell(one.cell.minimum_count),
            text_cell(f"{count(one.cell.bootstrap.resamples)} ({one.cell.bootstrap.seed})"),
            text_cell(one.source),
        )
        for one in told
    ]
    columns = (
        "Model",
        "Protocol",
        "Cohort",
        "Standing",
        "Relation",
        "Scored",
        "Patients",
        "Macro AUROC [interval]",
        "Macro AUPRC [interval]",
        "Concepts in the macro average",
        "Counts are multiples of",
        "Resamples (seed)",
        "Source",
    )
    caption = "self-reported results, not recomputable: macro averages"
    return Table(_caption(caption, simulated), columns, tuple(rows))


def _concept_note(cell: AggregateCell) -> list[str]:
    if not cell.macro.concepts:
        return []
    least = cell.macro.minimum
    return [
        one_line(f"at least {least} positives and {least} negatives each: {', '.join(cell.macro.concepts)}")
    ]


def _pooled_table(pooled: Sequence[PooledWith], simulated: bool) -> Table:
    rows = [
        (
            text_cell(one.entry.model),
            text_cell(one.entry.protocol),
            count_cell(len(one.recomputed_cohorts), *_named(one.recomputed_cohorts)),
            DASH if one.recomputed is None else pooled_cell(one.recomputed),
            count_cell(len(one.told_cohorts), *_named(one.told_cohorts)),
            _whole_cell(one),
            prediction_cell(one.whole),
            number_cell(one.whole.tau2),
        )
        for one in pooled
    ]
    columns = (
        "Model",
        "Protocol",
        "Recomputed cohorts",
        "Pooled, recomputed alone",
        "Self-reported cohorts",
        "Pooled, self-reported included",
        "Next hospital, self-reported included",
        "tau² (logits)",
    )
    caption = "pooled macro AUROC over external cohorts, self-reported ones included"
    return Table(_caption(caption, simulated), columns, tuple(rows))


def _whole_cell(one: PooledWith) -> TableCell:
    cell = pooled_cell(one.whole)
    notes = []
    if one.left_out:
        notes.append(f"without {', '.join(one.left_out)}: no resampled figures")
    if one.own_concepts:
        notes.append(
            f"{', '.join(one.own_concepts)} over their own concepts, not those of the ranking, which the "
            "recomputed ones are over"
        )
    return replace(cell, notes=(*cell.notes, *map(one_line, notes)))


def _named(cohorts: Sequence[str]) -> list[str]:
    return [one_line(", ".join(cohorts))] if cohorts else []


def _concepts_table(told: Sequence[Told], simulated: bool) -> Table:
    rows = [
        (
            text_cell(one.cell.model),
            text_cell(one.cell.protocol),
            _cohort_cell(one.cell),
            text_cell(name),
            *_concept_cells(concept),
        )
        for one in told
        for name, concept in one.cell.concepts.items()
    ]
    columns = (
        "Model",
        "Protocol",
        "Cohort",
        "Concept",
        "n",
        "Positives",
        "AUROC [interval]",
        "AUPRC [interval]",
        "AUPRC at the reference prevalence",
        "Sensitivity",
        "Specificity",
        "Brier score",
        "Calibration slope",
    )
    return Table(_caption("self-reported results by concept", simulated), columns, tuple(rows))


def _concept_cells(concept: AggregateConcept) -> tuple[TableCell, ...]:
    call, calibration = concept.call, concept.calibration
    return (
        rounded_cell(concept.n),
        rounded_cell(concept.positives),
        figure_cell(concept.auroc),
        figure_cell(concept.auprc),
        figure_cell(concept.auprc_at_reference),
        figure_cell(None if call is None else call.sensitivity),
        figure_cell(None if call is None else call.specificity),
        number_cell(None if calibration is None else calibration.brier),
        number_cell(None if calibration is None else calibration.slope),
    )


def _groups_table(told: Sequence[Told], simulated: bool) -> Table:
    rows = [
        (
            text_cell(one.cell.model),
            text_cell(one.cell.protocol),
            _cohort_cell(one.cell),
            text_cell(name),
            text_cell(group),
            rounded_cell(found.records),
            figure_cell(found.macro),
            count_cell(len(grouping.common)),
        )
        for one in told
        for name, grouping in one.cell.subgroups.items()
        for group, found in grouping.groups.items()
    ]
    columns = (
        "Model",
        "Protocol",
        "Cohort",
        "Grouping",
        "Group",
        "Records",
        "Macro AUROC [interval]",
        "Concepts in common",
    )
    return Table(_caption("self-reported results by sex and age", simulated), columns, tuple(rows))


def sources_table(sources: Sequence[Source]) -> Table:
    """Where the cells of a joined board are from: names, never paths."""
    rows = [
        (text_cell(one.name), text_cell(one.kind), count_cell(one.cells), text_cell(_MEANS[one.kind]))
        for one in sources
    ]
    return Table("Sources", ("Source", "Kind", "Cells", "Numbers"), tuple(rows))


_MEANS = {
    "run": "from predictions that its owner has",
    "submission": "recomputable from its predictions",
    "aggregate submission": "self-reported, not recomputable",
}


def told_models_table(told: Sequence[Told]) -> Table:
    """One row for each distinct card of a self-reported model."""
    rows = dict.fromkeys(
        (
            one.cell.model,
            one.cell.protocol,
            one.card.version,
            one.card.description,
            one.card.licence or "not stated",
            "undisclosed"
            if one.card.trained_on == "undisclosed"
            else ", ".join(one.card.trained_on) or "none of the cohorts",
            ", ".join(one.cell.weights_sha256),
            one.cell.ontology.version,
            ", ".join(f"{name} {version}" for name, version in sorted(one.cell.software.items())),
        )
        for one in told
    )
    columns = (
        "Model",
        "Protocol",
        "Version",
        "Description",
        "Licence",
        "Trained on",
        "Weights (SHA-256)",
        "Ontology",
        "Software",
    )
    return fact_table("Models of self-reported results", columns, rows)


def _cohort_cell(cell: AggregateCell) -> TableCell:
    return text_cell(f"{cell.cohort.id} (simulated)" if cell.cohort.simulated else cell.cohort.id)


def rounded_cell(value: Count) -> TableCell:
    """TableCell with a rounded count, or what stands in the place of one."""
    return TableCell(value, (), "muted", 0) if isinstance(value, str) else count_cell(value)


def figure_cell(figure: Figure | None) -> TableCell:
    """TableCell with a rounded value: not with more digits than were told."""
    if figure is None:
        return DASH
    digits = max(
        len(repr(part).partition(".")[2]) for part in (figure.value, figure.low, figure.high) if part
    )
    digits = min(3, max(2, digits))
    text = number(figure.value, digits)
    if figure.low is not None and figure.high is not None:
        text += f" [{number(figure.low, digits)}, {number(figure.high, digits)}]"
    return TableCell(text, (), "number", figure.value)
