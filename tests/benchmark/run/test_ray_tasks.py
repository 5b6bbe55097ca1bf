"""Preparing and shards as tasks of Ray, and what their processes say."""

from __future__ import annotations

import errno
import logging
import platform
import re
import shutil
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
from benchmark.run import elsewhere, ray_tasks
from benchmark.run.elsewhere import answer, pack
from benchmark.run.engines import Here, begin
from benchmark.run.execution import CellPredictions, shards_folder
from benchmark.run.plan import Cell
from benchmark.run.planning import make_plan
from benchmark.run.ray_driver import Driver
from benchmark.run.ray_messages import Inbox
from benchmark.run.ray_preparing import prepare_with, to_prepare
from benchmark.run.states import Plan, RunOptions
from cohorts.errors import LeadboardError
from tests.benchmark.run.ray_runs import predictions
from tests.benchmark.run.sharded import Heard, asked, write_sharded

QUIET = Reporter(quiet=True)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return write_sharded(tmp_path)


def planned(home: Path, name: str, *cohorts: str) -> Plan:
    options = RunOptions(
        home / name,
        Places(home / "data", home / "cache"),
        RunSettings(resamples=50),
        Hardware("cpu", workers=1),
        models=[f"{home / 'sharded.py'}:{name}"],
        cohorts=cohorts or ("georgia",),
        protocols=["linear-probe-100"] if name == "Embedding" else (),
    )
    plan = make_plan(options, QUIET)
    begin(plan)
    return plan


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


def test_a_full_disk_of_the_only_machine_fails_the_cells_that_need_it(
    home: Path, inline: Inline, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, heard = planned(home, "Sharded", "georgia", "ptb-xl"), Heard()
    compute = elsewhere.predict_and_save

    def full_for_georgia(cell: Cell, *rest: Any) -> CellPredictions:
        if cell.store.card.id == "ptb-xl":
            return compute(cell, *rest)
        raise LeadboardError("Cannot write a file: No space left on device.") from OSError(errno.ENOSPC, "")

    monkeypatch.setattr(elsewhere, "predict_and_save", full_for_georgia)
    Driver(inline, inline.inbox(), plan, heard, lambda _: None).work()
    states = {task.state.cohort: (task.state.status, task.state.reason) for task in plan.tasks}
    assert states == {
        "georgia": ("failed", "Cannot write a file: No space left on device."),
        "ptb-xl": ("done", None),
    }
    assert not [line for line in heard.lines if line.startswith("Not used")]


def test_what_is_not_what_was_planned_with_ends_a_run_of_one_machine(
    home: Path, inline: Inline, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = planned(home, "Sharded")
    monkeypatch.setattr(elsewhere, "scores_key", lambda *_: "another")
    with pytest.raises(LeadboardError, match=r"No machine of the Ray cluster can be used; .* has other code"):
        Driver(inline, inline.inbox(), plan, QUIET, lambda _: None).work()


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
