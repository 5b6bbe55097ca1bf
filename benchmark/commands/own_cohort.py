"""The command for a hospital's own cohort: new-cohort."""

from __future__ import annotations

from pathlib import Path

from benchmark.commands.options import Folder
from benchmark.terminal import tell
from cohorts.errors import UsageError


def new_cohort(name: str, *, out: Folder = Path()) -> int:
    """Write a commented description of your own ECGs (cohort.toml), to fill in; no code is needed.

    Parameters
    ----------
    name
        Of the cohort: small letters, digits and -.
    out
        Folder to write it into, beside the data.
    """
    from cohorts.catalogue import all_cohorts
    from cohorts.own.template import write_template
    from cohorts.tasks import all_tasks

    if name in all_cohorts() or name in all_tasks():
        raise UsageError(f"There is a cohort or a task '{name}' already; choose another name.")
    file = write_template(name, out)
    tell(
        f"{file} is written. Open it, name your columns and your files, and then:",
        f"  leadboard prepare {name} --cohort-file {file}",
        f"  leadboard run --cohort {name} --cohort-file {file} --model MODEL",
    )
    return 0
