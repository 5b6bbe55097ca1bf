"""The engine that computes cells with Ray, on a cluster or on one of its own on this machine."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from benchmark.progress import Reporter
from benchmark.protocols.hardware import processors
from benchmark.run.elsewhere import Answer, answer
from benchmark.run.engines import AfterCell, Engine, begin
from benchmark.run.ray_driver import Driver
from benchmark.run.ray_resources import RETRIES
from benchmark.run.states import Plan
from cohorts.errors import UsageError
from cohorts.interrupts import Terminated


def find_engine(address: str) -> Engine:
    """Give the engine that computes on a cluster, or on one of its own on this machine.

    Parameters
    ----------
    address
        Of a running cluster, or "auto" for the one that this machine is part of; empty to start one.

    Raises
    ------
    UsageError
        If Ray is not installed.
    """
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise UsageError("--engine ray needs Ray; install it with: pip install 'leadboard[ray]'") from None

    def compute(plan: Plan, reporter: Reporter, after_cell: AfterCell) -> int:
        begin(plan)
        after_cell(plan)
        if plan.to_do:
            with _cluster(ray, address):
                Driver(ray, _compute, plan, reporter, after_cell).work()
        plan.save()  # for those that another call was faster with
        return sum(task.computed for task in plan.tasks)

    return compute


@contextmanager
def _cluster(ray: Any, address: str) -> Iterator[None]:
    """Be part of a cluster; one that was started here ends with this process, whatever that dies of."""
    on_sigterm = signal.getsignal(signal.SIGTERM)  # Ray takes it away
    folder = "" if address else tempfile.mkdtemp(prefix="lb-")  # short: it holds sockets
    own = {
        "num_cpus": processors(),
        "include_dashboard": False,
        "_temp_dir": folder,
        "_system_config": {"task_oom_retries": RETRIES},
    }
    asked: dict[str, Any] = {"address": address} if address else own
    try:
        ray.init(log_to_driver=False, logging_level="error", **asked)
    except (ConnectionError, RuntimeError, ValueError) as error:
        words = str(error).partition("\n")[0].rstrip(".")
        raise UsageError(f"No Ray cluster answers at {address or 'this machine'} ({words}).") from None
    terminated = False

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal terminated
        terminated = True
        if callable(on_sigterm):
            on_sigterm(number, frame)

    try:
        if on_sigterm is not signal.SIG_DFL:
            signal.signal(signal.SIGTERM, end)
        yield
    except KeyboardInterrupt:  # which is all that Ray passes on
        if terminated:
            raise Terminated from None
        raise
    finally:
        ray.shutdown()
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


def _compute(packed: bytes) -> tuple[str, str, Answer]:
    """Compute a cell where Ray has sent it; gives the machine's id and name too."""
    import ray

    return ray.get_runtime_context().get_node_id(), platform.node(), answer(packed)
