"""Preparing and shards as tasks of Ray, and what their processes say."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmark.config import Places
from benchmark.progress import Reporter
from benchmark.protocols import shards
from benchmark.protocols.hardware import Hardware
from benchmark.protocols.scorer import Scorer
from benchmark.records.measuring import RunSettings
from benchmark.records.run_folder import load_run_file
from benchmark.run import ray_tasks
from benchmark.run.elsewhere import answer, pack
from benchmark.run.engines import Here, begin
from benchmark.run.execution import shards_folder
from benchmark.run.planning import make_plan
from benchmark.run.ray_driver import Driver
from benchmark.run.ray_engine import RayEngine
from benchmark.run.ray_messages import Inbox
from benchmark.run.ray_preparing import prepare_with, to_prepare
from benchmark.run.states import Plan, RunOptions
from tests.benchmark.run.ray_runs import finish, predictions, start, wait_until
from tests.releases import write_challenge, write_ptb_xl

MODEL = """
import os
import time
from pathlib import Path

import numpy as np

from benchmark.protocols import shards

HERE = Path(__file__).parent
shards.SIZE = 16  # in every process that finds the model

class Sharded:
    card = {"name": "sharded", "outputs": ["AF", "LVH"], "trained_on": []}

    def asked(self, batch):
        gain = float((HERE / "gain.txt").read_text())
        log = HERE / "asked.txt"
        earlier = log.read_text().split() if log.exists() else []
        with log.open("a") as file:
            file.write(f"{float(batch.signals.std()):.9f}/{os.getpid()}\\n")
        deadline = time.monotonic() + 120
        while earlier and (HERE / "hold").exists() and time.monotonic() < deadline:
            (HERE / "began").touch()
            time.sleep(0.05)
        means = batch.signals.mean(axis=2)
        return gain * (means - means.mean(axis=0))  # which depends on the whole batch

    def predict(self, batch):
        return self.asked(batch)[:, :2]

class Embedding(Sharded):
    card = {"name": "embedding", "outputs": [], "trained_on": []}

    def embed(self, batch):
        return np.concatenate([self.asked(batch), batch.signals.std(axis=2)], axis=1)
"""
QUIET = Reporter(quiet=True)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_ptb_xl(tmp_path / "data")
    write_challenge(tmp_path / "data", "georgia")
    (tmp_path / "sharded.py").write_text(MODEL)
    (tmp_path / "gain.txt").write_text("2.0")
    return tmp_path


def planned(home: Path, name: str) -> Plan:
    options = RunOptions(
        home / name,
        Places(home / "data", home / "cache"),
        RunSettings(resamples=50),
        Hardware("cpu", workers=1),
        models=[f"{home / 'sharded.py'}:{name}"],
        cohorts=["georgia"],
        protocols=["linear-probe-100"] if name == "Embedding" else (),
    )
    plan = make_plan(options, QUIET)
    begin(plan)
    return plan


def asked(home: Path) -> list[str]:
    """What the model was asked about, by the standard deviation of each batch."""
    log = home / "asked.txt"
    return [line.partition("/")[0] for line in log.read_text().split()] if log.exists() else []


def askers(home: Path) -> set[int]:
    """The processes in which the model was asked."""
    return {int(line.partition("/")[2]) for line in (home / "asked.txt").read_text().split()}


@pytest.mark.parametrize("name", ["Sharded", "Embedding"])
def test_who_computes_a_cell_asks_for_no_shard_again(
    home: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    monkeypatch.setattr(shards, "SIZE", 16)
    plan = planned(home, name)
    task = plan.tasks[0]
    packed = pack(task, plan, plan.options.hardware, scored=False)
    starts = Scorer.starts(task.cell.model, task.cell.store, task.cell.rows)
    assert list(starts) == [0, 16, 32]
    for first in reversed(starts):
        assert answer(packed, QUIET, first).failed == ""
    before = asked(home)
    kept = list(shards_folder(task.cell, home / "cache").rglob("*.npz"))
    there = answer(packed, QUIET).predictions
    assert there is not None
    again = set(asked(home)[len(before) :])
    assert not again & set(before), "only the validation fold was left"
    for folder in ("shards", "embeddings"):
        assert not list((home / "cache" / folder).rglob("*.npz"))
        for path in (home / "cache" / folder).rglob("made.json"):
            path.unlink()
    alone = answer(packed, QUIET).predictions
    assert alone is not None
    assert there.table.equals(alone.table)
    assert Counter(asked(home))[before[-1]] == 2
    assert "gain.txt" in {Path(file.path).name for file in there.provenance.files}
    assert there.provenance.batch_size == alone.provenance.batch_size == 64
    assert (len(kept) == 3) == (name == "Sharded")


def test_the_seconds_of_a_cell_are_those_of_its_shards(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    monkeypatch.setattr(shards, "SIZE", 16)
    plan = planned(home, "Sharded")
    cell = plan.tasks[0].cell
    packed = pack(plan.tasks[0], plan, plan.options.hardware, scored=False)
    for first in (0, 16, 32):
        answer(packed, QUIET, first)
    took = 0.0
    for number, path in enumerate(shards_folder(cell, home / "cache").rglob("*.npz")):
        with np.load(path) as file:
            content = {**file, "seconds": np.array(100.0 + number)}
        np.savez(path, **content)
        took += 100.0 + number
    found = answer(packed, QUIET).predictions
    assert found is not None
    assert (found.provenance.seconds, found.provenance.records_per_second) == (took, round(40 / took, 1))


@pytest.mark.parametrize("name", ["Sharded", "Embedding"])
def test_a_full_disk_is_no_fault_of_the_model(home: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    monkeypatch.setattr(shards, "SIZE", 16)
    plan = planned(home, name)
    packed = pack(plan.tasks[0], plan, plan.options.hardware, scored=False)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("benchmark.files.os.fsync", full)
        found = answer(packed, QUIET, 0)
    assert not found.failed
    assert re.search(r"Cannot write .*: No space left on device; free some space", found.refused)
    assert answer(packed, QUIET, 0).refused == ""


class Heard(Reporter):
    """Keeps what is said."""

    def __init__(self) -> None:
        super().__init__(quiet=True)
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


class Inline:
    """As much of Ray as the driver needs, in this process: a task is done when it is given.

    Attributes
    ----------
    given
        Arguments of all tasks.
    """

    exceptions = SimpleNamespace(RayTaskError=ZeroDivisionError, RayError=ArithmeticError)

    def __init__(self) -> None:
        self.given: list[tuple[Any, ...]] = []

    def nodes(self) -> list[dict[str, Any]]:
        return [{"Alive": True, "NodeID": "n" * 40, "Resources": {"CPU": 2.0}}]

    def put(self, value: Any) -> list[Any]:
        return [value]

    def get(self, ref: list[Any]) -> Any:
        return ref[0]

    def wait(self, refs: list[Any], timeout: float) -> tuple[list[Any], list[Any]]:
        return refs[:1], refs[1:]

    def remote(self, max_calls: int) -> Any:
        return lambda task: SimpleNamespace(options=lambda **_: SimpleNamespace(remote=self._does(task)))

    def _does(self, task: Any) -> Any:
        def give(*arguments: Any) -> Ref:
            values = [value[0] if isinstance(value, list) else value for value in arguments]
            self.given.append(tuple(values))
            return Ref([task(*values)])

        return give

    def inbox(self) -> Inbox:
        inbox = Inbox.__new__(Inbox)
        lines: list[tuple[str, str]] = []

        def taken(number: int) -> list[tuple[str, str]]:
            some = lines[:number]
            del lines[:number]
            return some

        put = SimpleNamespace(remote=lines.append)
        actor = SimpleNamespace(put_nowait=put)
        queue = SimpleNamespace(actor=actor, qsize=lambda: len(lines), get_nowait_batch=taken)
        inbox._queue = queue
        return inbox


class Ref(list[Any]):
    """What came of a task."""

    __hash__ = object.__hash__  # type: ignore[assignment]


@pytest.fixture
def inline(home: Path, monkeypatch: pytest.MonkeyPatch) -> Inline:
    monkeypatch.chdir(home)
    monkeypatch.setattr(shards, "SIZE", 16)
    monkeypatch.setattr(ray_tasks, "_node", lambda: "n" * 40)
    return Inline()


def test_a_cell_of_three_shards_is_four_tasks(home: Path, inline: Inline) -> None:
    plan, heard = planned(home, "Sharded"), Heard()
    Driver(inline, inline.inbox(), plan, heard, lambda _: None).work()
    assert [task.state.status for task in plan.tasks] == ["done"]
    assert [(given[2], len(given) - 3) for given in inline.given] == [(0, 0), (16, 1), (32, 1), (None, 3)]
    assert "sharded on georgia: 3 shards" in heard.lines
    assert f"{platform.node()}: sharded on georgia: the shard from record 16 on is there" in heard.lines
    by_ray = predictions(home / "Sharded")
    shutil.rmtree(home / "Sharded")
    plan = planned(home, "Sharded")
    Here().compute(plan, QUIET, lambda _: None)
    assert predictions(home / "Sharded") == by_ray
    assert len(by_ray) == 2


def test_a_model_that_cannot_answer_is_asked_once(home: Path, inline: Inline) -> None:
    (home / "gain.txt").write_text("none")
    plan = planned(home, "Sharded")
    Driver(inline, inline.inbox(), plan, QUIET, lambda _: None).work()
    assert [task.state.status for task in plan.tasks] == ["failed"]
    assert "could not convert string to float" in (plan.tasks[0].state.reason or "")
    assert not (home / "asked.txt").exists()
    started = [given for given in inline.given if len(given) == 3]
    assert len(started) == 1


def test_what_cannot_be_prepared_elsewhere_is_left_to_who_opens_it(home: Path, inline: Inline) -> None:
    (home / "data/ptb-xl/ptbxl_database.csv").write_text("no table")
    places, heard = Places(home / "data", home / "cache"), Heard()
    assert to_prepare(["georgia", "ptb-xl", "georgia"], places) == ["georgia", "ptb-xl"]
    prepare_with(inline, ["georgia", "ptb-xl"], places, inline.inbox(), heard)
    assert to_prepare(["georgia", "ptb-xl"], places) == ["ptb-xl"]
    said = "\n".join(heard.lines)
    where = rf"{re.escape(platform.node())} \(nnnnnnnn\)"
    assert re.search(rf"^Prepared georgia on {where}: \d", said, re.MULTILINE)
    assert re.search(rf"^Not prepared on {where}: ptb-xl: .*ptbxl_database", said, re.MULTILINE)
    assert f"{platform.node()}: Preparing georgia: 40 records" in said


def test_progress_is_thinned_out_and_warnings_are_not(inline: Inline) -> None:
    inbox, heard = inline.inbox(), Heard()
    logger = logging.getLogger("leadboard")
    before = list(logger.handlers)
    with inbox.outbox(64).reporter() as reporter:
        for epoch in range(50):
            logger.info("epoch %d", epoch)
            reporter.say("as slow")
        logger.warning("a checkpoint is damaged")
    assert logger.handlers == before
    inbox.deliver(heard)
    machine = platform.node()
    assert heard.lines == [f"{machine}: epoch 0", f"{machine}: a checkpoint is damaged"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_cohorts_are_prepared_as_tasks(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    monkeypatch.chdir(home)
    (home / "data/ptb-xl/ptbxl_database.csv").write_text("no table")
    places, heard = Places(home / "data", home / "cache"), Heard()
    with RayEngine("") as engine:
        engine.prepare(["georgia", "ptb-xl", "georgia"], places, heard)
    stores = [path.name for path in (home / "cache/stores").glob("*.h5")]
    assert len(stores) == 1
    assert stores[0].startswith("georgia")
    machine = re.escape(platform.node())
    said = "\n".join(heard.lines)
    assert re.search(rf"^Prepared georgia on {machine} \([0-9a-f]{{8}}\): ", said, re.MULTILINE)
    assert re.search(
        rf"^Not prepared on {machine} \([0-9a-f]{{8}}\): ptb-xl: .*ptbxl_database", said, re.MULTILINE
    )
    assert f"{platform.node()}: Preparing georgia: 40 records" in said
    heard.lines.clear()
    with RayEngine("") as engine:
        engine.prepare(["georgia"], places, heard)
    assert not heard.lines, "what is prepared starts no Ray"


@pytest.mark.slow
def test_ray_computes_the_shards_of_one_process(home: Path) -> None:
    models = ["--model", "sharded.py:Sharded", "--model", "sharded.py:Embedding"]
    assert finish(start(home, *models, "--out", "here", cache="here-cache"))[0] == 0
    here = asked(home)
    (home / "asked.txt").unlink()
    code, said = finish(start(home, *models, "--engine", "ray", "--out", "ray", cache="ray-cache"))
    assert code == 0, said
    assert predictions(home / "here") == predictions(home / "ray")
    assert len(predictions(home / "here")) >= 6
    assert Counter(asked(home)) == Counter(here), "no batch more than once, none less"
    lines = (home / "asked.txt").read_text().split()
    assert len({line.partition("/")[2] for line in lines}) >= 3 + 3 + 8
    assert "sharded on georgia: 3 shards" in said


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_a_machine_that_dies_costs_the_shard_that_it_computes(home: Path, cluster: Any) -> None:
    options = ["--model", "sharded.py:Sharded", "--cohort", "georgia"]
    assert finish(start(home, *options, "--out", "here", cache="here-cache"))[0] == 0
    here = asked(home)
    (home / "asked.txt").unlink()
    (home / "hold").touch()
    dying = cluster.add_node(num_cpus=1)
    run = start(home, *options, "--engine", "ray", "--address", cluster.address, "--out", "ray")
    wait_until((home / "began").exists)
    cut_off = asked(home)[-1]
    process = int((home / "asked.txt").read_text().split()[-1].partition("/")[2])
    cluster.add_node(num_cpus=1)
    cluster.remove_node(dying, allow_graceful=False)
    with contextlib.suppress(ProcessLookupError):  # it may outlive its node for a moment
        os.kill(process, signal.SIGKILL)
    (home / "hold").unlink()
    code, said = finish(run)
    assert code == 0, said
    assert predictions(home / "here") == predictions(home / "ray")
    assert Counter(asked(home)) == Counter([*here, cut_off])
    assert {cell.status for cell in load_run_file(home / "ray").cells} == {"done"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_a_machine_with_a_full_disk_is_left_out_by_name(home: Path, cluster: Any) -> None:
    options = ["--model", "sharded.py:Sharded", "--cohort", "georgia"]
    assert finish(start(home, *options, "--out", "here", cache="here-cache"))[0] == 0
    (home / "ray-cache").mkdir()
    # A machine of its own as far as its disk goes: 64 KiB, in a name space that nobody else sees.
    mount = f"mount -t tmpfs -o size=64k full {home / 'ray-cache'}"
    node = f"exec ray start --address {cluster.address} --num-cpus 1 --block --disable-usage-stats"
    program = ["unshare", "--mount", "sh", "-c", f"{mount} && {node}"]
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode:
        pytest.skip("nobody but root has name spaces of mounts")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    log = home / "node.txt"
    with log.open("w") as said_by_node:
        full = subprocess.Popen(program, env={**os.environ, "PATH": path}, stdout=said_by_node)
    try:
        wait_until(lambda: "runtime started" in log.read_text())
        run = start(
            home, *options, "--engine", "ray", "--address", cluster.address, "--out", "ray", cache="ray-cache"
        )
        heard = []
        assert run.stderr is not None
        for line in run.stderr:
            heard.append(line)
            if line.startswith("Not prepared on ") or "is prepared here" in line:
                cluster.add_node(num_cpus=1)
                break
        code, said = finish(run)
    finally:
        full.terminate()
        full.wait(timeout=60)
    said = "".join([*heard, said])
    assert code == 0, said
    assert re.search(r"^Not used: machine .*No space left on device", said, re.MULTILINE), said
    assert predictions(home / "here") == predictions(home / "ray")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_who_is_ended_between_two_shards_goes_on_with_the_next(home: Path, number: int) -> None:
    options = ["--model", "sharded.py:Sharded", "--cohort", "georgia"]
    assert finish(start(home, *options, "--out", "here", cache="here-cache"))[0] == 0
    here = asked(home)
    (home / "asked.txt").unlink()
    (home / "hold").touch()  # the second batch that is asked about waits
    command = [*options, "--engine", "ray", "--out", "ray"]
    first = start(home, *command, cache="ray-cache")
    wait_until((home / "began").exists)
    first.send_signal(number)
    assert finish(first)[0] in (143, -9)
    wait_until(lambda: not any(Path(f"/proc/{process}").exists() for process in askers(home)))
    cut_off = asked(home)[1:]  # all but the first shard, as many as began
    (home / "hold").unlink()
    code, said = finish(start(home, *command, cache="ray-cache"))
    assert code == 0, said
    assert predictions(home / "here") == predictions(home / "ray")
    assert Counter(asked(home)) == Counter([*here, *cut_off])


@pytest.mark.slow
def test_a_training_elsewhere_is_heard_here(home: Path) -> None:
    learning = ["--model", "resnet1d", "--cohort", "georgia", "--engine", "ray", "--out", "ray"]
    code, said = finish(start(home, *learning))
    assert code == 0, said
    heard = [line for line in said.splitlines() if line.startswith(f"{platform.node()}: ")]
    assert any("epoch" in line for line in heard)
    assert len(heard) < 30
