"""Command for those who have a cohort: new-cohort."""

from __future__ import annotations

from pathlib import Path

from benchmark.commands.options import Flag, Folder
from benchmark.terminal import tell


def new_cohort(name: str, *, out: Folder = Path(), code: Flag = False) -> int:
    """Write a starting point for a cohort of your own: a commented description of your ECGs, cohort.toml.

    Parameters
    ----------
    name
        Id of the cohort: small letters, digits and -.
    out
        Folder to write it into; for a description, that of your data.
    code
        Write a small package with the cohort as a class instead, for a release that others are to use.
    """
    if code:
        from cohorts.scaffold import write_cohort_package

        folder = write_cohort_package(name, out)
        tell(
            f"{folder} is written: a cohort that can be read. Next:",
            f"  pip install --editable {folder}",
            f"  python -m pytest {folder / 'tests'}",
            "  leadboard cohorts",
        )
        return 0
    from cohorts.scaffold import write_description

    file = write_description(name, out)
    tell(
        f"{file} is written. Open it, name your columns and your files, and then:",
        f"  leadboard prepare {name} --cohort-file {file}",
        f"  leadboard run --cohort {name} --cohort-file {file} --model MODEL",
    )
    return 0
