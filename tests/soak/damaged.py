"""Files of runs, caches, submissions and releases that were flipped, cut, emptied, exchanged or deleted."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.soak.faults import Fault, Lost, check_manners
from tests.soak.stage import NAMED, Stage, content_of

RUN, REPORT = NAMED["run"], NAMED["report"]
ONLY_RUN = RUN._replace(makes=("run/",))


def _flip(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(chance.choice((1, 1, 3))):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def _cut(path: Path, chance: random.Random) -> None:
    path.write_bytes(path.read_bytes()[: chance.randrange(path.stat().st_size)])


def _empty(path: Path, chance: random.Random) -> None:
    path.write_bytes(b"")


def _zero(path: Path, chance: random.Random) -> None:
    """What a crash of the machine leaves on some file systems."""
    path.write_bytes(b"\0" * path.stat().st_size)


def _exchange(path: Path, chance: random.Random) -> None:
    others = sorted(p for p in path.parent.rglob(f"*{path.suffix}") if p != path and p.is_file())
    if others:
        path.write_bytes(chance.choice(others).read_bytes())
    else:
        _empty(path, chance)


def _delete(path: Path, chance: random.Random) -> None:
    path.unlink()


WAYS = (_flip, _flip, _cut, _empty, _zero, _exchange, _delete)


class Kind(NamedTuple):
    """A kind of file: where such files lie, which command has to mend it, and what may happen to it.

    Attributes
    ----------
    anew
        Whether the run is deleted first: weights and stores are not looked at while its cells are done.
    """

    what: str
    pattern: str
    then: str = "run"
    ways: tuple[Callable[[Path, random.Random], None], ...] = WAYS
    anew: bool = False


KINDS = (
    Kind("plan of a run", "run/run.json"),
    Kind("result record", "run/*/as-is/[gp]*[al].json"),
    Kind("predictions", "run/*/as-is/[gp]*.parquet"),
    Kind("validation scores", "run/*/as-is/validation.parquet"),
    Kind("thresholds", "run/*/as-is/thresholds.json"),
    Kind("resampled figures", "run/*/as-is/*.resamples.npz"),
    Kind("missing page", "run/leaderboard.*", "run", (_delete,)),
    Kind("page", "run/leaderboard.*", "report"),
    Kind("store", "cache/stores/*.h5", anew=True),
    Kind("cached weights", "cache/models/*/*/weights/*", anew=True),
    Kind("facts of weights", "cache/models/*/*/made.json", anew=True),
)


def _one(home: Path, pattern: str, chance: random.Random) -> Path:
    return chance.choice(sorted(path for path in home.glob(pattern) if path.is_file()))


def mend(stage: Stage, kind: Kind, chance: random.Random, home: Path) -> int:
    """Damage one file of a finished run, and see that the command makes everything as it was."""
    stage.lay_out(REPORT, home)
    path = _one(home, kind.pattern, chance)
    way = chance.choice(kind.ways)
    before = path.read_bytes()
    way(path, chance)
    changed = f"{path.relative_to(home)} after {way.__name__.strip('_')}"
    if kind.anew:
        shutil.rmtree(home / "run")
    try:
        stage.finish(NAMED[kind.then], home)
        stage.check(ONLY_RUN, home)
    except Lost as lost:
        same = " (the same bytes as before)" if path.is_file() and path.read_bytes() == before else ""
        raise Lost(f"{changed}{same}: {lost}") from None
    return 1


def told_by_verify(stage: Stage, pattern: str, chance: random.Random, home: Path) -> int:
    """Damage one file of a submission or a run, and see that `verify` does not agree with it."""
    for name in ("prepare", "run", "submit"):
        shutil.copytree(stage.after(name), home, dirs_exist_ok=True)
    path = _one(home, pattern, chance)
    before = content_of(path) if path.suffix != ".md" else ""
    way = chance.choice(WAYS)
    way(path, chance)
    try:
        same = path.is_file() and bool(before) and content_of(path) == before
    except Exception:  # noqa: BLE001 - it can no longer be read, which is what verify has to say
        same = False
    where = "run" if pattern.startswith("run") else next((home / "sent").iterdir())
    words = ("verify", str(where), "--data", stage.words["data"])
    try:
        check_manners(stage.call(words, home).wait(), 1, 2, *((0,) if same else ()))
    except Lost as lost:
        raise Lost(f"{path.relative_to(home)} after {way.__name__.strip('_')}: {lost}") from None
    return 1


def release(stage: Stage, pattern: str, chance: random.Random, home: Path) -> int:
    """Damage one file of a release: another fingerprint or a word, never other numbers under the old one."""
    data = home / "data"
    shutil.copytree(stage.root / "data", data, copy_function=os.link)
    path = _one(data, pattern, chance)
    content, times = path.read_bytes(), path.stat().st_mtime_ns
    path.unlink()  # it is linked to the original
    path.write_bytes(content)
    way = chance.choice(WAYS)
    way(path, chance)
    words = [word.replace("{data}", "data") for word in RUN.words]
    ended = check_manners(stage.call(words, home).wait(), 0, 1, 2)
    changed = f"{path.relative_to(data)} after {way.__name__.strip('_')}"
    if ended.code == 0 and path.is_file() and path.read_bytes() == content:
        changed += " (the same bytes as before)"
    path.write_bytes(content)
    os.utime(path, ns=(times, times))
    try:
        check_manners(stage.call(words, home).wait(), 0)
        shutil.rmtree(home / "cache/models")  # of the damaged release there are weights too
        check_manners(stage.call(words, home).wait(), 0)
        stage.check(ONLY_RUN, home)
    except Lost as lost:
        raise Lost(f"{changed}, whole again: {lost}") from None
    return 1


def resume(stage: Stage, name: str, chance: random.Random, home: Path) -> int:
    """Kill a training, damage what it left to go on with, and see that it ends as it would have."""
    done = NAMED[name]
    stage.lay_out(done, home)
    stage.after(name)
    running = stage.start(done, home)
    awaited, ends = chance.choice(("*", "last.ckpt", "last.ckpt")), time.monotonic() + 60
    while not list(home.glob(f"cache/models/*/*/unfinished/{awaited}")) and time.monotonic() < ends:
        time.sleep(0.005)
    time.sleep(chance.uniform(0, 0.2))
    running.kill()
    check_manners(running.wait(), 0, -9)
    files = sorted(path for path in home.glob("cache/models/*/*/unfinished/*") if path.is_file())
    if not files:
        return 0
    path, way = chance.choice(files), chance.choice(WAYS)
    if path.stat().st_size:
        way(path, chance)
    try:
        stage.finish(done, home)
        stage.check(done, home)
    except Lost as lost:
        raise Lost(f"{path.name} after {way.__name__.strip('_')}: {lost}") from None
    return 1


def damages(stage: Stage) -> list[Fault]:
    """All rows of this file."""
    mended = [
        Fault(
            "damage", kind.what, f"then '{kind.then}' again makes what was there", partial(mend, stage, kind)
        )
        for kind in KINDS
    ]
    verified = [
        Fault(
            "damage",
            f"{what}, verified",
            "then 'verify' does not agree",
            partial(told_by_verify, stage, pattern),
        )
        for what, pattern in (
            ("record of a submission", "sent/*/records/*/*"),
            ("predictions of a submission", "sent/*/predictions/*/*"),
            ("papers of a submission", "sent/*/*.*"),
            ("predictions of a run", "run/*/as-is/*[al].parquet"),
        )
    ]
    released = [
        Fault(
            "damage",
            f"{what} of a release",
            "then a run, whole again, a run",
            partial(release, stage, pattern),
        )
        for what, pattern in (("table", "**/*.csv"), ("header", "**/*.hea"), ("signal", "**/*.[dm]at"))
    ]
    resumed = [
        Fault(
            "damage",
            f"checkpoint of {name}",
            "killed, a file damaged, and again",
            partial(resume, stage, name),
        )
        for name in ("train", "pretrain")
    ]
    return [*mended, *verified, *released, *resumed]
