"""What else a reader must know: what did not run, what was left out, which data and software it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from benchmark.records.overlap import Overlap
from benchmark.records.record import CohortFacts, RecordCounts, ResultRecord
from benchmark.records.run_file import RunFile
from benchmark.report.tables import Table, TableCell, cohort_label, count_cell, fact_table, text_cell
from benchmark.report.text import UNDEFINED, count
from cohorts.catalogue import is_private
from cohorts.counts import plural

SHORT = 12
"""Characters of a hash that tell one from another; the whole ones are in leaderboard.json."""

QUARANTINE_ROWS = 100
"""Reasons shown on the page; all records are in leaderboard.json."""


def problem_tables(run: RunFile, records: Sequence[ResultRecord]) -> list[Table]:
    """Cells without a result, absent cohorts and quarantined records; an empty list if all went well."""
    tables = [
        fact_table(
            "Cells without a result",
            ("Model", "Protocol", "Cohort", "Relation", "Reason"),
            [
                (c.model, c.protocol, c.cohort, c.relation, c.reason or _WHY[c.status])
                for c in run.cells
                if c.status != "done"
            ],
        ),
        fact_table(
            "Models that took no part", ("Model", "Reason"), [(a.model, a.reason) for a in run.absent_models]
        ),
        fact_table(
            "Cohorts that took no part", ("Cohort", "Reason"), [(a.cohort, a.reason) for a in run.absent]
        ),
        _quarantine_table(records),
    ]
    return [table for table in tables if table.rows]


_WHY = {"failed": "failed without a reason", "planned": "not run yet"}


def quarantined(records: Iterable[ResultRecord]) -> dict[tuple[str, bool], dict[str, list[str]]]:
    """Return (cohort, simulated) -> reason -> record ids, over all cells of the cohort."""
    found: dict[tuple[str, bool], dict[str, set[str]]] = {}
    for record in records:
        of_cohort = found.setdefault((record.cohort.id, record.cohort.simulated), {})
        for group in record.records.quarantined:
            of_cohort.setdefault(group.reason, set()).update(group.record_ids)
    return {
        cohort: {reason: sorted(ids) for reason, ids in sorted(reasons.items())}
        for cohort, reasons in found.items()
        if reasons
    }


def _quarantine_table(records: Sequence[ResultRecord]) -> Table:
    labels = {(r.cohort.id, r.cohort.simulated): cohort_label(r.cohort) for r in records}
    rows = []
    for cohort, reasons in quarantined(records).items():
        for reason, ids in reasons.items():
            named = ", ".join(ids[:5]) + (", ..." if len(ids) > 5 else "")
            named = "not named: a private cohort" if is_private(cohort[0]) else named
            rows.append(
                (TableCell(labels[cohort]), text_cell(reason), count_cell(len(ids)), text_cell(named))
            )
    caption = "Quarantined records"
    if len(rows) > QUARANTINE_ROWS:
        caption += (
            f" (the first {QUARANTINE_ROWS} of {count(len(rows))} reasons; all are in leaderboard.json)"
        )
    return Table(caption, ("Cohort", "Reason", "Records", "Which"), tuple(rows[:QUARANTINE_ROWS]))


def cohorts_table(records: Iterable[ResultRecord]) -> Table:
    """One row per cohort as it lay on disk; a partial copy says so, and so does one that is not all new."""
    seen: dict[tuple[CohortFacts, Overlap | None], RecordCounts] = {}
    for record in records:
        seen.setdefault((record.cohort, record.overlap), record.records)
    rows = [
        (
            cohort_label(cohort),
            cohort.name,
            version_text(cohort),
            "simulated" if cohort.simulated else "real",
            copy_size(cohort, counts),
            cohort.fingerprint,
            "by its card" if overlap is None else overlap_text(overlap),
        )
        for (cohort, overlap), counts in seen.items()
    ]
    columns = ("Cohort", "Name", "Version", "Patients", "Records", "Fingerprint", "Shared with others")
    compared = any(overlap is not None for _, overlap in seen)
    return fact_table(
        "Cohorts", columns if compared else columns[:-1], rows if compared else [r[:-1] for r in rows]
    )


def overlap_text(overlap: Overlap) -> str:
    """Say in which cohorts recordings were looked for, and how many were found."""
    if not overlap.cohorts:
        return "not compared: no other cohort was here"
    said = [
        f"{count(one.shared)} of {count(overlap.records)} shared with {one.cohort} "
        f"({plural(one.records, 'record')}, by {one.by})"
        for one in sorted(overlap.cohorts, key=lambda one: -one.shared)
    ]
    if overlap.not_compared:
        said.append(
            f"{plural(overlap.not_compared, 'record')} too short or without beats could not be compared"
        )
    said.append(f"Leadboard {overlap.leadboard}, code {overlap.code}, seed {overlap.seed}")
    return "; ".join(said)


def version_text(cohort: CohortFacts) -> str:
    """Say which version of a release was measured; what is simulated is of none."""
    return f"simulated in the layout of {cohort.version}" if cohort.simulated else cohort.version


def copy_size(cohort: CohortFacts, counts: RecordCounts) -> str:
    """Say how many records could be used: ``400 of 21,799 records`` for a partial copy."""
    usable = counts.found - counts.unusable
    if cohort.simulated:  # they are no part of the release
        return plural(usable, "simulated record")
    if cohort.release_records is None or usable == cohort.release_records:
        return plural(usable, "record")
    if usable > cohort.release_records:
        return f"{plural(usable, 'record')} (the release has {count(cohort.release_records)})"
    return f"{count(usable)} of {plural(cohort.release_records, 'record')}"


def partial_copies(records: Iterable[ResultRecord]) -> list[str]:
    """Name the cohorts of which only a part was there."""
    found = [
        f"{cohort_label(r.cohort)}: {copy_size(r.cohort, r.records)}"
        for r in records
        if r.cohort.release_records is not None
        and not r.cohort.simulated
        and r.records.found - r.records.unusable < r.cohort.release_records
    ]
    return list(dict.fromkeys(found))


def provenance_table(run: RunFile, records: Sequence[ResultRecord]) -> Table:
    """Software, hardware and labelling; several values where the cells differ."""

    def distinct(value: Callable[[ResultRecord], str]) -> str:
        return "; ".join(dict.fromkeys(value(record) for record in records)) or UNDEFINED

    rows = [
        ("Ontology", distinct(lambda r: r.ontology.version)),
        ("Labels (hash, by cohort)", distinct(lambda r: f"{r.cohort.id} {r.ontology.hash[:SHORT]}")),
        ("Leadboard", distinct(lambda r: f"{r.provenance.leadboard} ({r.provenance.commit or 'no commit'})")),
        ("Python", distinct(lambda r: r.provenance.python)),
        ("Platform", distinct(lambda r: r.provenance.platform)),
        (
            "Device and precision of scores",
            distinct(lambda r: f"{r.provenance.device}, {r.provenance.dtype}"),
        ),
        ("Packages", distinct(lambda r: _pairs(r.provenance.packages))),
        ("Environment of the latest call", _pairs(run.environment) or UNDEFINED),
    ]
    return fact_table("Software and labelling", ("What", "Value"), rows)


def _pairs(values: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(values.items()))


def interval_sentences(records: Iterable[ResultRecord]) -> str:
    """Say how the intervals were made."""
    records = list(records)
    drawn = [record.evaluation.bootstrap for record in records]
    if not drawn:
        return "No cell is finished, so there are no intervals."
    levels = " / ".join(dict.fromkeys(f"{settings.level:.0%}".replace("%", " %") for settings in drawn))
    resamples = " / ".join(dict.fromkeys(count(settings.resamples) for settings in drawn))
    seeds = " / ".join(dict.fromkeys(str(settings.seed) for settings in drawn))
    fits = (
        " Of a model that was fitted several times AUROC and AUPRC are means over the fits, and their "
        "brackets are of that mean: how much the fits differ from each other is in none."
        if any(record.evaluation.fits for record in records)
        else ""
    )
    return (
        f"Brackets are {levels} percentile intervals of a bootstrap ({resamples} resamples, seed {seeds}) "
        "that draws patients with replacement, each with all of their records, or records where a release "
        "has no patient ids; the tables say which. The same resamples serve every model and concept of a "
        "cohort, and a resample in which a value is undefined is left out of its interval and counted."
        f"{fits}"
    )
