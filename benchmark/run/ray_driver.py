"""Sending cells out with Ray, and taking in what comes back.

Ray decides where a cell is computed, and computes it again elsewhere when a machine dies. The shards of a
cell on a large cohort are tasks of their own, which that of the cell depends on: each keeps what it computed
in the cache, where the cell finds it as if an earlier call had been cut off. Everything that others may see
stays in this process: the locks of the cells, the measuring and ``run.json``.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmark.progress import Reporter
from benchmark.protocols.hardware import Hardware
from benchmark.protocols.scorer import Scorer
from benchmark.records.record import ResultRecord
from benchmark.records.run_folder import lock_path
from benchmark.run.elsewhere import Answer, pack
from benchmark.run.engines import AfterCell, attempt, done_meanwhile
from benchmark.run.execution import CellPredictions, former_predictions, measure_and_save
from benchmark.run.ray_messages import Inbox, Outbox
from benchmark.run.ray_resources import RETRIES, alive, places_for, share_of, task_options
from benchmark.run.ray_tasks import compute
from benchmark.run.states import Plan, Task
from cohorts.errors import LeadboardError
from cohorts.locks import alone, alone_or_not


@dataclass
class Driver:
    """Sends cells out, and takes in what comes back.

    Attributes
    ----------
    ray
        The module, which not everybody has.
    inbox
        Where what the machines say arrives.
    running
        Cells that were sent out, with their former predictions and their locks.
    ready
        Model and protocol -> why it could not learn what it needs; empty where it has learnt.
    refused
        Machines that are not used, by their ids.
    embedded
        Models and cohorts whose features are there.
    share
        What each cell takes.
    """

    ray: Any
    inbox: Inbox
    plan: Plan
    reporter: Reporter
    after_cell: AfterCell
    running: dict[Any, tuple[Task, CellPredictions | None, ExitStack]] = field(default_factory=dict)
    ready: dict[tuple[str, str], str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    embedded: set[tuple[str, str, str]] = field(default_factory=set)
    share: Hardware = field(init=False)
    outbox: Outbox = field(init=False)

    def work(self) -> None:
        """Compute whatever is not done."""
        waiting = list(self.plan.to_do)
        self.share = share_of(self.plan.options.hardware, self._nodes())
        self.outbox = self.inbox.outbox(places_for(self.share, self._nodes()))
        try:
            while waiting or self.running:
                room = places_for(self.share, self._nodes()) + 1  # one is ready when a place becomes free
                waiting = [task for task in waiting if not self._sent(task, room)]
                if self.running:
                    done = self.ray.wait(list(self.running), timeout=1.0)[0]
                    self.inbox.deliver(self.reporter)
                    for ref in done:
                        waiting += self._taken_in(ref)
                elif waiting:  # other calls compute what is left
                    task = waiting[0]
                    with alone(self._lock(task), f"computing {task.cell.label}"):
                        done_meanwhile(task, self.plan)
                    self.after_cell(self.plan)
                    waiting = [task for task in waiting if task.state.status == "planned"]
        finally:
            for _, _, held in self.running.values():
                held.close()

    def _nodes(self) -> list[dict[str, float]]:
        """What each machine has that may be used."""
        return alive(self.ray, self.refused)

    def _lock(self, task: Task) -> Path:
        return lock_path(self.plan.options.folder, task.cell.path)

    def _may_start(self, task: Task, room: int) -> bool:
        """Whether there is room, and no cell that runs makes what this one would wait for.

        The first cell of a model and protocol makes what all of them need: trainings, features of the source,
        thresholds. No other cell of the model runs beside it, nor two on one cohort, which share features.
        """
        if len(self.running) >= room:
            return False
        model, protocol, cohort = task.cell.name
        others = [other.cell.name for other, _, _ in self.running.values() if other.cell.name[0] == model]
        if (model, protocol) not in self.ready:
            return not others
        return all((model, other) in self.ready and where != cohort for _, other, where in others)

    def _sent(self, task: Task, room: int) -> bool:
        """Send a cell out if it may start, or settle it here; whether one of the two was done."""
        unlearnt = self.ready.get(task.cell.name[:2])
        if not unlearnt and not self._may_start(task, room):
            return False
        with ExitStack() as held:
            if not held.enter_context(alone_or_not(self._lock(task))):
                return False
            if done_meanwhile(task, self.plan):
                self.after_cell(self.plan)
            elif unlearnt:
                self._finish(task, None, Answer(failed=unlearnt))
            else:
                former = former_predictions(task.cell, task.former, self.reporter.say)
                self.running[self._started(task, former is not None)] = task, former, held.pop_all()
        return True

    def _started(self, task: Task, scored: bool) -> Any:
        """Give the cell to Ray, and before it the shards of a large one.

        The first shard also makes what the model has to learn, and the others wait for it: a model that
        cannot answer is asked once. Features of a cohort serve all probes of a model.
        """
        cell, box = task.cell, self.outbox
        packed = self.ray.put(pack(task, self.plan, self.share, scored=scored))
        a_process_each = self.ray.remote(max_calls=1)(compute)
        remote = a_process_each.options(**task_options(self.share, self.refused))
        starts = Scorer.starts(cell.model, cell.store, cell.rows)
        if scored or len(starts) == 1 or _features(task) in self.embedded:
            return remote.remote(packed, box, None)
        self.reporter.say(f"{cell.label}: {len(starts)} shards")
        first = remote.remote(packed, box, starts[0])
        others = [remote.remote(packed, box, start, first) for start in starts[1:]]
        return remote.remote(packed, box, None, first, *others)

    def _taken_in(self, ref: Any) -> list[Task]:
        """Finish a cell that came back; gives it again if it has to be sent elsewhere."""
        task, former, held = self.running.pop(ref)
        with held:
            try:
                node, name, found = self.ray.get(ref)
            except self.ray.exceptions.RayTaskError:
                raise  # a mistake of the suite, as it would be here
            except self.ray.exceptions.RayError:
                died = f"the process that computed it ended without a word, {RETRIES + 1} times in a row."
                node, name, found = "", "", Answer(failed=f"{task.cell.model.card.name}: {died}")
            if found.full and not places_for(self.share, alive(self.ray, {*self.refused, node})):
                # Of the only machine, as it would be here: the cell fails, and another may need less room.
                self._finish(task, former, Answer(failed=found.refused))
                return []
            if found.refused:
                self.refused.add(node)
                why = f"{name} ({node[:8]}): {found.refused}"
                self.reporter.say(f"Not used: machine {why}")
                if not places_for(self.share, self._nodes()):
                    raise LeadboardError(f"No machine of the Ray cluster can be used; {why}")
                return [task]
            self.ready.setdefault(task.cell.name[:2], found.failed if found.unlearnt else "")
            if task.cell.model.protocol.kind == "linear-probe":
                self.embedded.add(_features(task))
            self._finish(task, former, found)
        return []

    def _finish(self, task: Task, former: CellPredictions | None, found: Answer) -> None:
        def record() -> ResultRecord:
            predictions = found.predictions or former
            if predictions is None or found.thresholds is None:
                raise LeadboardError(found.failed)
            settings = self.plan.options.settings
            return measure_and_save(
                task.cell, predictions, found.thresholds, settings, "cpu"
            )  # maybe no GPU here

        attempt(task, self.plan, self.reporter, record)
        if task.computed:
            took = "" if found.predictions is None else f": {found.predictions.provenance.seconds:,.1f} s"
            self.reporter.say(f"{task.cell.label}{took}")
        self.after_cell(self.plan)


def _features(task: Task) -> tuple[str, str, str]:
    """Name what the probes of a model share on a cohort."""
    return task.cell.model.card.name, task.cell.store.card.id, task.cell.model.protocol.kind
