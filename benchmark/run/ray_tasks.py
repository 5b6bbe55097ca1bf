"""What Ray calls on the machines of a cluster, and what it gives back."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import NamedTuple

from benchmark.config import Places
from benchmark.run.elsewhere import Answer, answer, prepare_elsewhere
from benchmark.run.ray_messages import Outbox


class Computed(NamedTuple):
    """What came of a job, and the id and the name of the machine that it was sent to."""

    node: str
    machine: str
    answer: Answer


class Prepared(NamedTuple):
    """How long the preparing of a cohort took, and why it could not be prepared there; empty if it was."""

    node: str
    machine: str
    seconds: float
    failed: str


def compute(packed: bytes, outbox: Outbox, shard: int | None, *before: Computed) -> Computed:
    """Compute a cell, or one shard of it.

    Parameters
    ----------
    before
        What came of the shards that it needs; the first that failed is the answer.
    """
    for found in before:
        if found.answer.failed or found.answer.refused:
            return found
    with outbox.reporter() as reporter:
        return Computed(_node(), platform.node(), answer(packed, reporter, shard))


def prepare(cohort: str, places: Places, folder: Path, outbox: Outbox) -> Prepared:
    """Prepare a cohort; relative paths are from the folder."""
    began = time.perf_counter()
    with outbox.reporter() as reporter:
        try:
            os.chdir(folder)
            failed = prepare_elsewhere(cohort, places, reporter)
        except OSError as error:
            failed = f"{folder}: {error.strerror}"
    return Prepared(_node(), platform.node(), time.perf_counter() - began, failed)


def _node() -> str:
    import ray

    return str(ray.get_runtime_context().get_node_id())
