"""Commands in forked copies of a process that has imported everything: killed, limited, and listened to."""

from __future__ import annotations

import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from cohorts.ontology.ontology import load_ontology

PATIENCE = 90.0
"""Seconds after which a command of two seconds is one that hangs."""

ROOMS = (
    *("benchmark.cli", "benchmark.commands.printing", "benchmark.commands.listing", "benchmark.run.runner"),
    *("benchmark.report", "benchmark.report.page.page", "benchmark.scoring.on_cohort", "baselines.controls"),
    *("benchmark.scoring.against_labels", "benchmark.records.submission", "benchmark.records.verification"),
    *("cohorts.download", "cohorts.catalogue", "cohorts.simulator.simulate", "sklearn.linear_model"),
)
TRAINING = (
    *("benchmark.protocols.training", "benchmark.protocols.pretraining", "baselines.contrastive.pretrained"),
    *("baselines.text.encoders", "baselines.training.lightning_run", "baselines.training.supervised"),
)


def warm_up(*, training: bool) -> None:
    """Import and read what commands do, without starting a thread: what is forked then starts at once."""
    for room in (*ROOMS, *(TRAINING if training else ())):
        import_module(room)
    load_ontology()


class Ended(NamedTuple):
    """How a command ended: its exit code, minus the signal where one ended it, and what it said."""

    code: int
    said: str
    seconds: float

    @property
    def sentence(self) -> str:
        """The last line, for a table."""
        lines = self.said.strip().splitlines()
        return lines[-1][:300] if lines else ""


@dataclass
class Running:
    """A process of one's own group, with a file for what it says."""

    pid: int
    log: Path
    started: float

    def kill(self, how: int = signal.SIGKILL) -> None:
        """End it without a warning, and whatever it has started."""
        os.killpg(self.pid, how)

    def wait(self, patience: float = PATIENCE) -> Ended:
        """Wait for its end; -SIGALRM is the code of one that had to be ended because it hung."""
        handle = os.pidfd_open(self.pid)
        try:
            hung = not select.select([handle], [], [], patience)[0]
        finally:
            os.close(handle)
        if hung:
            self.kill()
        _, status = os.waitpid(self.pid, 0)
        code = -signal.SIGALRM if hung else os.waitstatus_to_exitcode(status)
        return Ended(code, self.log.read_text(errors="replace"), time.monotonic() - self.started)


def fork(work: Callable[[], int], log: Path, prepare: Callable[[], None] = lambda: None) -> Running:
    """Do some work in a forked process.

    Parameters
    ----------
    work
        Gives the exit code; whatever it raises goes into the log as a traceback.
    log
        For standard output and error of the process.
    prepare
        Called in the process first, to limit it or to put it elsewhere.
    """
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        _own_group(pid)
        return Running(pid, log, time.monotonic())
    code = 70
    try:
        _own_group(0)
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(out, 1)
        os.dup2(out, 2)
        prepare()
        code = work()
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except BaseException:  # noqa: BLE001 - a fork must never return into the loop of its parent
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _own_group(pid: int) -> None:
    """Both sides of a fork ask for it, so that neither has to wait for the other."""
    try:
        os.setpgid(pid, 0)
    except OSError:  # it has ended already
        return


def command(
    words: tuple[str, ...],
    home: Path,
    log: Path,
    *,
    most_file_bytes: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> Running:
    """Start a leadboard command with ``home`` as working folder, home and cache.

    Parameters
    ----------
    most_file_bytes
        Writes beyond it fail as they do on a full disk.
    environment
        More variables.
    """

    def prepare() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # until it is the command's to answer
        os.chdir(home)
        for name in [name for name in os.environ if name.startswith("LEADBOARD_")]:
            del os.environ[name]
        os.environ.update({"HOME": str(home), "LEADBOARD_CACHE": str(home / "cache"), **(environment or {})})
        if most_file_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_file_bytes, most_file_bytes))

    def work() -> int:
        from benchmark.cli import main

        sys.argv = ["leadboard", *words]
        signal.signal(signal.SIGINT, signal.default_int_handler)
        main()
        return 0

    log.write_bytes(b"")
    return fork(work, log, prepare)
