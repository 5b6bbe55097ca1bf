"""Ending a worker's processes: its group, and whatever has left the group and yet stems from it.

Python 3.8 or newer and its standard library; the worker loads this file by its path.

A process that calls ``setsid`` leaves the group, and one whose parent ends is no descendant any more, but all
of them inherit the mark in the environment. What escapes is a process that does all three: it leaves the
group, outlives its parents before anybody looks, and runs a program in an environment without the mark. Where
there is no ``/proc``, the group is all that can be found.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

MARK = "LEADBOARD_WORKER"
"""Variable of the environment whose value names the worker."""

ROUNDS = 20
"""Looks at what is left; a process may start another one while it is looked for."""

PAUSE = 0.01
"""Seconds between two looks."""


GRACE = 1.0
"""Seconds that a worker has to end in order once the suite is gone."""


def leave_a_guard(source: int, sink: int) -> None:
    """Leave a process that ends everything soon after the suite is gone, whatever the model is doing.

    It is nobody's child, so that a model may wait for all children of its own. That ``source`` is closed
    tells that the suite is gone.
    """
    worker = os.getpid()
    between = os.fork()
    if between:
        os.waitpid(between, 0)
        return
    if os.fork():
        os._exit(0)
    for end in (sink, 1, 2):
        os.close(end)
    poll = select.poll()
    poll.register(source, 0)  # a hang-up is reported without being asked for
    poll.poll()
    mark = os.environ.get(MARK, "")
    known = stemming_from(worker, mark)
    time.sleep(GRACE)
    end_all(worker, mark, known)
    shutil.rmtree(folder_for_children(mark), ignore_errors=True)
    if os.getpgrp() == worker:
        os.killpg(worker, signal.SIGKILL)
    os._exit(0)


def folder_for_children(mark: str) -> Path:
    """Where a process leaves modules for its children; whoever kills a worker removes its folder."""
    return Path(tempfile.gettempdir()) / f"leadboard-modules-{mark}"


def end_all(worker: int, mark: str, known: Iterable[tuple[int, str]] = ()) -> None:
    """Kill a worker that leads a group of processes, the group, and what stems from either; not the caller.

    Parameters
    ----------
    worker
        Its process id, which is that of the group.
    mark
        Value of `MARK` in its environment.
    known
        What `stemming_from` gave earlier, when the worker still lived.
    """
    sought = set(known)
    for _ in range(ROUNDS):
        found = stemming_from(worker, mark, sought)
        left = {process for process, _ in found} - {os.getpid()}
        if not left:
            return
        # The worker last: as long as its children have a parent it is plain whose they are.
        for process in sorted(left, key=worker.__eq__):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        sought |= found
        time.sleep(PAUSE)


def stemming_from(worker: int, mark: str, known: Iterable[tuple[int, str]] = ()) -> set[tuple[int, str]]:
    """Processes that carry the mark, are in the worker's group, were known before, or descend from such.

    Each with the time of its start, because another process may get its number later.
    """
    variable = f"{MARK}={mark}".encode()
    parents: dict[int, int] = {}
    starts: dict[int, str] = {}
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):  # it has ended, or is somebody else's
            state, parent, group, *others = (folder / "stat").read_text().rpartition(")")[2].split()
            if state in "ZX":
                continue
            process = int(folder.name)
            parents[process], starts[process] = int(parent), others[16]
            of_group = int(group) == worker or (process, others[16]) in known
            if of_group or variable in (folder / "environ").read_bytes().split(b"\0"):
                found.add(process)
    grown = True
    while grown:
        children = {process for process, parent in parents.items() if parent in found} - found
        found |= children
        grown = bool(children)
    return {(process, starts[process]) for process in found}
