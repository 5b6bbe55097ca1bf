"""Command for those who have a cohort: new-cohort."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.commands.options import File, Flag, Folder
from benchmark.terminal import tell
from cohorts.errors import UsageError

if TYPE_CHECKING:
    from cohorts.own.recognition.recognise import Recognised

_NEEDED = {
    *("cohort.record_id", "cohort.patient_id", "cohort.age", "cohort.sex", "cohort.signals"),
    "labels.columns",
}
"""Worth a line even if no column is it."""


def new_cohort(
    name: str,
    *,
    out: Folder = Path(),
    table: File | None = None,
    sheet: str | None = None,
    code: Flag = False,
) -> int:
    """Write a starting point for a cohort of your own: a commented description of your ECGs, cohort.toml.

    Parameters
    ----------
    name
        Id of the cohort: small letters, digits and -.
    out
        Folder to write it into; for a description, that of your data.
    table
        Your table, CSV, Parquet or Excel: columns that are recognised in it are filled in.
    sheet
        Of a workbook with several.
    code
        Write a small package with the cohort as a class instead, for a release that others are to use.
    """
    if code:
        return _new_package(name, out, given=table is not None or sheet is not None)
    if sheet is not None and table is None:
        raise UsageError("--sheet is for a workbook; give it as --table, or leave --sheet out.")
    from cohorts.own.recognition.labels import VOCABULARY
    from cohorts.own.recognition.recognise import recognise
    from cohorts.scaffold import write_description

    found = None if table is None else recognise(table, out, sheet)
    kept = (out / VOCABULARY).exists()
    file = write_description(name, out, found)
    if found is None:
        tell(f"{file} is written. Open it, name your columns and your files, and then:")
    else:
        _print_found(found)
        if found.codes:
            done = "left as it was" if kept else "written"
            tell(
                f"{file.with_name(VOCABULARY)} is {done}: say in its column relation what a code is (same, "
                "narrower, ambiguous or unmapped)."
            )
            tell("  A concept that is there already is a proposal; a code without a relation stays open.")
        tell(f"{file} is written. Open it, see whether this is right, say what is missing, and then:")
    tell(
        f"  leadboard prepare {name}{' --check' if found else ''} --cohort-file {file}",
        f"  leadboard run --cohort {name} --cohort-file {file} --model MODEL",
    )
    return 0


def _new_package(name: str, out: Path, given: bool) -> int:
    if given:
        raise UsageError("--table and --sheet are for a description; leave them out, or --code.")
    from cohorts.scaffold import write_cohort_package

    folder = write_cohort_package(name, out)
    tell(
        f"{folder} is written: a cohort that can be read. Say in {next(folder.glob('*/cohort.py'))} and "
        "codes.csv what your release is, and then:",
        f"  pip install --editable {folder}",
        f"  python -m pytest {folder / 'tests'}",
        "  leadboard cohorts",
        f"  leadboard prepare {name} --check --data RELEASES",
    )
    return 0


def _print_found(found: Recognised) -> None:
    """Say which columns were taken for what, which were not, and why."""
    from benchmark.commands.printing import print_table

    rows = [
        {
            "setting": one.setting.partition(".")[2],
            "is": one.value or (f"open: {' or '.join(one.columns)}" if one.columns else "open"),
            "why": one.why,
        }
        for one in found.findings
        if one.why and (one.value or one.columns or one.setting in _NEEDED)
    ]
    print_table(rows)
    if found.rest:
        tell(f"Columns of which nothing is said: {', '.join(found.rest)}.")
    if found.unnamed:
        tell(f"Columns without a name of their own, or with one like a cell, not looked at: {found.unnamed}.")
