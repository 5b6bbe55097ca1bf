"""Command about this machine: what would keep a run from going well."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
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
from cohorts.counts import plural
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

    wrong = _stand_somewhere()
    try:
        machine = Machine(find_places(data, cache, cohort_file), wrong, tuple(model))
    except (LeadboardError, OSError) as error:
        machine = Machine(None, "; ".join(filter(None, (wrong, str(error)))), tuple(model))
    found = list(examine(machine)) if as_json else list(_printed(examine(machine)))
    if as_json:
        print_json(_for_a_report(found))
    else:
        problems = sum(one.status == "problem" for one in found)
        tell("", f"{plural(problems, 'problem')} in {plural(len(found), 'check')}.")
    return 1 if worst(found) else 0


def _stand_somewhere() -> str:
    """Leave a working folder that is gone, in which libraries cannot be loaded; says so, or nothing."""
    try:
        Path.cwd()
    except OSError:
        os.chdir(os.sep)
        return "the working folder is not there any more"
    return ""


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


def _printed(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Print each finding as soon as it is there."""
    from benchmark.run.doctor.examine import CHECKS

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH_IN_FILES
    column = max(map(len, CHECKS)) + 11
    for one in findings:
        start = f"{one.status:<9}{one.name}".ljust(column)
        for line in (one.found, *([f"-> {one.do}"] if one.do else []), *one.where):
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
        yield one
