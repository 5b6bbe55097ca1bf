"""Command about this machine: what would keep a run from going well."""

from __future__ import annotations

import platform
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Any

from benchmark.commands.options import (
    CacheOption,
    CohortFiles,
    DataOption,
    JsonOption,
    Repeated,
    print_json,
)
from benchmark.config import find_places
from benchmark.terminal import tell
from benchmark.text import one_line, unnamed
from cohorts.errors import LeadboardError

if TYPE_CHECKING:
    from benchmark.run.doctor.machine import Finding

WIDTH_IN_FILES = 100


def doctor(
    *,
    model: Repeated = (),
    data: DataOption = None,
    cohort_file: CohortFiles = (),
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> int:
    """Look for what commonly goes wrong on a machine, and say what to do; exit code 1 if there is a problem.

    Looked at are the folders, the home folder, cache and locks, disk, clock, locale, open files, other
    installations, numba's cache, GPU, releases, stores and weights. With --json nothing is told of people,
    machines, places or private cohorts, so that it can be sent with a bug report.

    Parameters
    ----------
    model
        Published model whose weights are wanted, which are a problem if they are not here; may be repeated.
    data
        Folder that holds the releases (or LEADBOARD_DATA).
    cohort_file
        Description of a hospital's own cohort (cohort.toml), beside those in leadboard.toml; may be repeated.
    cache
        Folder for prepared cohorts and trained models (or LEADBOARD_CACHE).
    as_json
        Print JSON.
    """
    from benchmark.run.doctor.examine import examine, worst
    from benchmark.run.doctor.machine import Machine

    try:
        machine = Machine(find_places(data, cache, cohort_file), models=tuple(model))
    except (LeadboardError, OSError) as error:  # among them that the working folder is gone
        machine = Machine(None, str(error), tuple(model))
    found = examine(machine)
    if as_json:
        print_json(_for_a_report(found))
    else:
        _print(found)
    return 1 if worst(found) else 0


def _for_a_report(found: list[Finding]) -> dict[str, Any]:
    """Give what may be sent to anybody."""
    from benchmark.records.provenance import package_versions, platform_name

    checks = [
        {"name": one.name, "status": one.status, "found": unnamed(one.found), "do": unnamed(one.do) or None}
        for one in found
    ]
    return {
        "python": platform.python_version(),
        "platform": platform_name(),
        "packages": package_versions(),
        "checks": checks,
    }


def _print(found: list[Finding]) -> None:
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH_IN_FILES
    column = max(len(one.name) for one in found) + 11
    for one in found:
        start = f"{one.status:<9}{one.name}".ljust(column)
        lines = [one.found, *([f"-> {one.do}"] if one.do else []), *one.where]
        for line in lines:
            tell(
                *textwrap.wrap(
                    one_line(line),
                    max(width, column + 20),
                    initial_indent=start,
                    subsequent_indent=" " * column,
                    break_on_hyphens=False,
                    break_long_words=False,
                )
            )
            start = " " * column
    problems = sum(one.status == "problem" for one in found)
    tell("", f"{problems} problem{'' if problems == 1 else 's'} in {len(found)} checks.")
