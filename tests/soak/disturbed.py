"""Commands that are killed, doubled, or given a disk that is full, read-only or another one."""

from __future__ import annotations

import functools
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.soak.faults import Fault, Lost, check_manners
from tests.soak.stage import COMMANDS, NAMED, Command, Stage

MEMORY = Path("/dev/shm")
"""A file system of its own on every Linux."""

ROOM = 8 * 2**30
"""More than a download wants to see free; nothing is taken of it until it is written to."""


def kill(stage: Stage, done: Command, chance: random.Random, home: Path, how: int = signal.SIGKILL) -> int:
    """End a command by a signal, up to three times at random moments, then let it finish."""
    stage.lay_out(done, home)
    seconds = stage.seconds(done)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        running = stage.start(done, home)
        time.sleep(chance.uniform(0, 1.1) * seconds)
        running.kill(how)
        check_manners(running.wait(), 0, -how, 128 + how)
    stage.finish(done, home)
    stage.check(done, home)
    return 1


class Pair(NamedTuple):
    """Two commands at once, and which exit codes either may have; then both again, one after the other.

    Attributes
    ----------
    expected
        A command that leaves the same; of two runs with different models only the cells are compared.
    """

    first: Command
    second: Command
    codes: tuple[int, ...] = (0,)
    expected: Command | None = None


def _other(name: str, *words: str) -> Command:
    done = NAMED[name]
    return done._replace(words=words)


_LOUD = _other("run", *NAMED["run"].words[:7], "--model", "{predictors}:Loud")
_PAIRS = (
    *(Pair(done, done, expected=done) for done in COMMANDS if done.name != "download"),
    Pair(NAMED["download"], NAMED["download"], (0, 2), NAMED["download"]),
    Pair(NAMED["run"], _LOUD),
    Pair(_LOUD, NAMED["score"]),
    Pair(NAMED["run"], NAMED["prepare"], expected=NAMED["run"]),
    Pair(NAMED["report"], NAMED["score"], expected=NAMED["score"]),
)


def double(stage: Stage, pair: Pair, chance: random.Random, home: Path) -> int:
    """Start two commands at nearly the same time; nothing of either may be lost, without a further call."""
    for done in (pair.first, pair.second):
        stage.lay_out(done, home)
    first = stage.start(pair.first, home, "first.txt")
    time.sleep(chance.choice((0, 0, chance.random())) * stage.seconds(pair.first) / 2)
    second = stage.start(pair.second, home, "second.txt")
    ended = [check_manners(running.wait(), *pair.codes) for running in (first, second)]
    if all(end.code for end in ended):
        raise Lost(f"neither of the two was carried out: {ended[0].sentence}")
    if any(end.code for end in ended):
        stage.finish(pair.first, home)
    if pair.expected:
        stage.check(pair.expected, home)
    else:
        _check_cells(pair, home)
    return 1


def _check_cells(pair: Pair, home: Path) -> None:
    """See that the run knows the cells of both commands, on disk and on the page."""
    models = {"noisy": {"georgia", "ptb-xl"}, "loud": {"georgia", "ptb-xl"}, "mine": {"georgia"}}
    asked = " ".join((*pair.first.words, *pair.second.words)).lower()
    page = (home / "run/leaderboard.csv").read_text()
    plan = (home / "run/run.json").read_text()
    for model, cohorts in models.items():
        if f":{model}" not in asked and f"name {model}" not in asked:
            continue
        for cohort in cohorts:
            if not list((home / "run" / model).glob(f"*/{cohort}.json")):
                raise Lost(f"the result of {model} on {cohort} is gone")
        if f'"{model}"' not in plan:
            raise Lost(f"run.json does not know {model}")
        if model not in page and model != "mine":
            raise Lost(f"{model} is not on the page")


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Callable[..., None]]:
    """Mount a file system of its own; gives a function that changes its options."""
    folder.mkdir(parents=True)
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "soak", folder], check=True, capture_output=True
    )
    try:
        yield lambda options: subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@functools.cache
def may_mount() -> bool:
    """Whether this machine lets us mount; elsewhere a limit on file sizes stands for the full disk."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            with small_disk(Path(folder) / "disk", 4096):
                return True
        except (OSError, subprocess.CalledProcessError):
            return False


def fill(stage: Stage, done: Command, chance: random.Random, home: Path) -> int:
    """Carry a command out on a disk that becomes full, make room, and carry it out again."""
    if not may_mount():
        stage.lay_out(done, home)
        check_manners(
            stage.start(done, home, most_file_bytes=int(10 ** chance.uniform(3.5, 5.5))).wait(), 0, 1, 2
        )
        stage.finish(done, home)
        stage.check(done, home)
        return 1
    with small_disk(disk := home / "disk", ROOM) as change:
        inner = disk / "home"
        inner.mkdir()
        stage.lay_out(done, inner)
        used = shutil.disk_usage(disk).used
        needed = sum(path.stat().st_size for path in stage.after(done.name).rglob("*"))
        change(f"size={used + 4096 * chance.randint(1, 2 + needed // 4096)}")
        check_manners(stage.start(done, inner).wait(), 0, 1, 2)
        change("size=8g")
        stage.finish(done, inner)
        stage.check(done, inner)
    return 1


def forbid(stage: Stage, done: Command, chance: random.Random, home: Path) -> int:
    """Carry a command out where nothing may be written, then where it may."""
    if not may_mount():
        return 0
    with small_disk(disk := home / "disk", ROOM) as change:
        inner = disk / "home"
        inner.mkdir()
        stage.lay_out(done, inner)
        change("ro")
        check_manners(stage.start(done, inner).wait(), 1, 2)
        change("rw")
        stage.finish(done, inner)
        stage.check(done, inner)
    return 1


def elsewhere(stage: Stage, done: Command, chance: random.Random, home: Path) -> int:
    """Carry a command out with its cache on another file system than its results."""
    stage.lay_out(done, home)
    away = MEMORY / f"soak-{os.getpid()}"
    (home / "cache").mkdir(exist_ok=True)
    shutil.move(home / "cache", away)
    (home / "cache").symlink_to(away)
    try:
        stage.finish(done, home)
        stage.check(done, home)
    finally:
        shutil.rmtree(away)
    return 1


_WAYS = (
    ("kill -9", "", "killed at a random moment, up to three times; then the same command", kill),
    ("interrupt", "Ctrl-C", "the same with Ctrl-C", partial(kill, how=signal.SIGINT)),
    ("interrupt", "SIGTERM", "the same with SIGTERM", partial(kill, how=signal.SIGTERM)),
    ("disk", "full", "on a disk that has room for a random part of what it writes; then with room", fill),
    ("disk", "read-only", "on a read-only disk; then on the same one, writable", forbid),
    ("disk", "cache elsewhere", "with the cache on another file system", elsewhere),
)


def disturbances(stage: Stage) -> list[Fault]:
    """All rows of this file: every way with every command, and every pair."""
    rows = [
        Fault(kind, f"{where}, {done.name}" if where else done.name, how, partial(way, stage, done))
        for kind, where, how, way in _WAYS
        for done in COMMANDS
    ]
    for pair in _PAIRS:
        what = f"{pair.first.name} and {pair.second.name}" + (
            " of other models" if pair.second is _LOUD else ""
        )
        rows.append(
            Fault(
                "two at once", what, "started together in one folder and cache", partial(double, stage, pair)
            )
        )
    return rows
