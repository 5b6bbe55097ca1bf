"""Command for those who have a cohort: new-cohort."""

from __future__ import annotations

from pathlib import Path

from benchmark.commands.options import Flag, Folder
from benchmark.terminal import tell
from cohorts.errors import UsageError


def new_cohort(name: str, *, out: Folder = Path(), code: Flag = False) -> int:
    """Write a starting point for a cohort of your own.

    Parameters
    ----------
    name
        Id of the cohort: small letters, digits and -.
    out
        Folder to write it into.
    code
        Write a small package with the cohort as a class, for a release that others are to use.
    """
    if not code:
        raise UsageError("A cohort that is described without code cannot be written yet; give --code.")
    from cohorts.scaffold import write_cohort_package

    folder = write_cohort_package(name, out)
    tell(
        f"{folder} is written: a cohort that can be read. Next:",
        f"  pip install --editable {folder}",
        f"  python -m pytest {folder / 'tests'}",
        "  leadboard cohorts",
    )
    return 0
