"""A command in the process of the test: a hundred new ones would import the same modules a hundred times.

Where the process is what is tested, it is started with `COMMAND` and `environment`.
"""

from __future__ import annotations

import io
import logging
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest

from benchmark.cli import main
from cohorts.catalogue import all_cohorts, forget

COMMAND = (sys.executable, "-m", "benchmark")


def environment(home: Path) -> dict[str, str]:
    """What a command of a process of its own is given: the cache in a folder, and no other setting."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("LEADBOARD_")}
    return {**kept, "LEADBOARD_CACHE": str(home / "cache"), "PYTHONPATH": str(Path(__file__).parents[1])}


class Printed(NamedTuple):
    """The two streams of a command."""

    out: str
    err: str


def command(home: Path, *arguments: str, code: int = 0) -> Printed:
    """Call `leadboard` in a folder, with the cache beside it; the process is left as it was."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    log = logging.getLogger("leadboard")
    level, propagate, handlers = log.level, log.propagate, list(log.handlers)
    known = set(all_cohorts())
    try:
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.chdir(home)
            for name in [name for name in os.environ if name.startswith("LEADBOARD_")]:
                patch.delenv(name)
            patch.setenv("LEADBOARD_CACHE", str(home / "cache"))
            patch.setattr(sys, "excepthook", sys.excepthook)
            patch.setattr(sys, "argv", ["leadboard", *arguments])
            patch.setattr("benchmark.cli.end_on_sigterm", lambda: None)
            with pytest.raises(SystemExit) as end:
                main()
    finally:  # a command makes its trainings speak, and the tests after this one would hear them
        log.setLevel(level)
        log.propagate, log.handlers = propagate, handlers
        for cohort in set(all_cohorts()) - known:  # a hospital's own
            forget(cohort)
    printed = Printed(*(stream.buffer.getvalue().decode() for stream in (out, err)))  # type: ignore[attr-defined]
    assert end.value.code == code, printed.err
    assert "Traceback" not in printed.err
    return printed
