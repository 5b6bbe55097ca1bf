"""What everything is tried on: a tiny release, the commands of the table, and what they leave."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmark.records.predictions import content_hash, load_predictions
from benchmark.records.run_file import RUN as RUN_FILE
from cohorts.store import Store
from tests.download_server import Publisher, serve
from tests.releases import write_challenge, write_ptb_xl
from tests.soak.faults import Lost, check_manners
from tests.soak.processes import Ended, Running, command, fork

MODELS = Path(__file__).with_name("models.py")
PREDICTORS = Path(__file__).with_name("predictors.py")
DATA = ("--data", "{data}")
RUN = ("--out", "run", "--resamples", "20", "--model", "{predictors}:Noisy", "--model", "age-sex")


SIMULATED = {
    "brugada-huca": "brugada-huca",
    "code-15": "code-15",
    "code-test": "code-test",
    "cpsc-2018": "challenge-2021/training/cpsc_2018",
    "ecg-arrhythmia": "ecg-arrhythmia",
    "echonext": "echonext",
    "heedb-mgh": "heedb",
    "hefei": "hefei",
    "incart": "challenge-2021/training/st_petersburg_incart",
    "incartdb": "incartdb",
    "ludb": "ludb",
    "mimic-iv-ecg": "mimic-iv-ecg",
    "ptb-xl": "ptb-xl",
    "ptbdb": "ptbdb",
    "sami-trop": "sami-trop",
    "sph": "sph",
    "zzu-pecg": "zzu-pecg",
}
"""Cohorts of which the stage has a release of few records, and where it lies."""


class Command(NamedTuple):
    """A row of the table: what is called, what has to be there before, and what it makes.

    Attributes
    ----------
    needs
        Commands whose results are laid out first.
    makes
        Folders and files of which everything is compared.
    """

    name: str
    words: tuple[str, ...]
    needs: tuple[str, ...]
    makes: tuple[str, ...]


COMMANDS = (
    Command("prepare", ("prepare", *DATA), (), ("cache/stores",)),
    Command("run", ("run", *DATA, *RUN), ("prepare",), ("run", "cache/models")),
    Command("train", ("train", "{models}:Learner", *DATA), ("prepare",), ("cache/models",)),
    Command("pretrain", ("pretrain", "{models}:Pairs", *DATA), ("prepare",), ("cache/models",)),
    Command("report", ("report", "run"), ("prepare", "run"), ("run",)),
    Command("submit", ("submit", "run", "--model", "noisy", "--to", "sent"), ("prepare", "run"), ("sent",)),
    Command(
        "score",
        ("score", "{mine}", "--cohort", "georgia", *DATA, "--out", "run", "--name", "mine"),
        ("prepare", "run"),
        ("run",),
    ),
    Command(
        "download", ("download", "ptb-xl", "--data", "fetched", "--mirror", "{mirror}"), (), ("fetched",)
    ),
    Command("simulate", ("simulate", "georgia", "ptb-xl", "--out", "made", "--scale", "0.02"), (), ("made",)),
)
NAMED = {command.name: command for command in COMMANDS} | {
    "few": Command("few", ("simulate", *SIMULATED, "--out", "sim", "--scale", "0.01"), (), ("sim",))
}


@dataclass(frozen=True)
class Stage:
    """A release that nobody writes to, and for each command what it leaves and how long it takes.

    Attributes
    ----------
    words
        What the placeholders of the commands stand for.
    """

    root: Path
    words: Mapping[str, str]
    _expected: dict[str, dict[str, str]] = field(default_factory=dict)
    _seconds: dict[str, float] = field(default_factory=dict)

    def after(self, name: str) -> Path:
        """Give the home in which a command was carried out undisturbed, which nobody writes to."""
        home, done = self.root / "after" / name, NAMED[name]
        if name not in self._expected:
            home.mkdir(parents=True)
            self.lay_out(done, home)
            self._seconds[name] = self.finish(done, home).seconds
            self._expected[name] = left_by(done, home)
            if name == "run":
                shutil.copy(home / "run/noisy/as-is/georgia.parquet", self.words["mine"])
        return home

    def seconds(self, done: Command) -> float:
        """How long a command takes undisturbed."""
        self.after(done.name)
        return self._seconds[done.name]

    def lay_out(self, done: Command, home: Path) -> None:
        """Copy what must have been done before a command into a home."""
        for need in done.needs:
            shutil.copytree(self.after(need), home, symlinks=True, dirs_exist_ok=True)

    def call(self, words: Iterable[str], home: Path, log: str = "said.txt", **limits: Any) -> Running:
        """Start a command given as words, with placeholders."""
        return command(tuple(word.format(**self.words) for word in words), home, self.root / log, **limits)

    def start(self, done: Command, home: Path, log: str = "said.txt", **limits: Any) -> Running:
        """Start a command in a home."""
        return self.call(done.words, home, log, **limits)

    def finish(self, done: Command, home: Path, *codes: int, **limits: Any) -> Ended:
        """Carry a command out to its end."""
        return check_manners(self.start(done, home, **limits).wait(), *(codes or (0,)))

    def check(self, done: Command, home: Path) -> None:
        """Compare what a command left with what it leaves undisturbed."""
        self.after(done.name)
        found, undisturbed = left_by(done, home), self._expected[done.name]
        expected = {name: what for name, what in undisturbed.items() if name.startswith(done.makes)}
        for words, names in (
            ("is missing", expected.keys() - found.keys()),
            ("was left over", found.keys() - expected.keys()),
            ("is another", {name for name in expected if found.get(name, expected[name]) != expected[name]}),
        ):
            if names:
                raise Lost(f"{', '.join(sorted(names)[:4])} {words}")


@contextmanager
def set_stage(root: Path) -> Iterator[Stage]:
    """Write the release, and serve it."""
    data = root / "data"
    write_ptb_xl(data, records=60)
    write_challenge(data, records=20)
    with _publisher(root) as url:
        words = {"data": str(data), "models": str(MODELS), "predictors": str(PREDICTORS)}
        words |= {"mirror": url, "mine": str(root / "mine.parquet")}
        yield Stage(root, words)


@contextmanager
def _publisher(root: Path) -> Iterator[str]:
    """Serve the release as PhysioNet does, from another process; gives the address."""
    address = root / "address"
    os.mkfifo(address)

    def work() -> int:
        publisher = Publisher()
        folder = root / "data" / "ptb-xl"
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        content = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
        publisher.physionet("ptb-xl/1.0.3", {**content, "LICENSE.txt": b"CC BY 4.0\n"})
        with serve(publisher):
            address.write_text(publisher.url)
            while True:
                signal.pause()

    server = fork(work, root / "publisher.txt")
    try:
        yield address.read_text()
    finally:
        server.kill()
        server.wait()


def left_by(done: Command, home: Path) -> dict[str, str]:
    """What lies in the folders that a command makes: name of a file -> what is in it."""
    found: dict[str, str] = {}
    for made in done.makes:
        for path in sorted((home / made).rglob("*")):
            if path.is_file() and path.suffix != ".lock":
                try:
                    what = content_of(path)
                except Exception as error:  # noqa: BLE001 - whatever a reader says of a damaged file
                    what = f"cannot be read ({type(error).__name__})"
                found[path.relative_to(home).as_posix()] = what
    return found


TIMES = ("seconds", "records_per_second", "created", "commit")


def content_of(path: Path) -> str:
    """What a file says, apart from when and how fast it was made."""
    if path.name == "report.json":  # sums of files that hold times
        content: Any = "there"
    elif path.suffix == ".h5":
        content = _store(path)
    elif path.suffix == ".parquet":
        content = content_hash(load_predictions(path)[0])
    elif path.suffix == ".npz":
        with np.load(path) as arrays:
            content = {name: arrays[name].tobytes().hex() for name in arrays.files}
    elif path.suffix == ".json":
        # The sums that a run keeps are of files that hold times.
        content = _without(
            {*TIMES, "files"} if path.name == RUN_FILE else set(TIMES), json.loads(path.read_bytes())
        )
    elif path.suffix == ".jsonl":
        content = sorted(set(path.read_text().split("\n")))  # a file may have been looked at twice
    elif path.parent.name == "figures" or path.name.startswith("leaderboard."):
        content = "there" if path.stat().st_size else "empty"
    else:
        content = path.read_bytes().hex()
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _store(path: Path) -> Any:
    with Store(path) as store:
        signals = hashlib.sha256()
        for position in range(len(store)):
            signals.update(store.recording(position).signal.tobytes())
        tables = [table.to_json() for table in (store.index, store.labels, store.quarantine)]
        return [signals.hexdigest(), tables, store.fingerprint, store.card.model_dump_json(), store.warnings]


def _without(names: set[str], content: Any) -> Any:
    if isinstance(content, dict):
        return {name: _without(names, value) for name, value in content.items() if name not in names}
    if not isinstance(content, list):
        return content
    members = [_without(names, value) for value in content]
    if all(isinstance(member, dict) for member in members):  # in which order the cells were asked for
        members.sort(key=lambda member: json.dumps(member, sort_keys=True))
    return members
