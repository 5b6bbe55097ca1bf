"""The engine that prepares and computes with Ray, on a cluster or on one of its own on this machine."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import FrameType, TracebackType
from typing import Any, Self

from benchmark.config import Places
from benchmark.progress import Reporter
from benchmark.protocols.hardware import processors
from benchmark.run.engines import AfterCell, begin
from benchmark.run.ray_driver import Driver
from benchmark.run.ray_messages import Inbox
from benchmark.run.ray_preparing import prepare_with, to_prepare
from benchmark.run.ray_resources import RETRIES
from benchmark.run.states import Plan
from cohorts.errors import UsageError
from cohorts.interrupts import Terminated


class RayEngine:
    """Prepares and computes on a cluster, or on one of its own on this machine; it is started once.

    Parameters
    ----------
    address
        Of a running cluster, or "auto" for the one that this machine is part of; empty to start one.

    Raises
    ------
    UsageError
        If Ray is not installed.
    """

    def __init__(self, address: str) -> None:
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray
        except ImportError:
            raise UsageError(
                "--engine ray needs Ray; install it with: pip install 'leadboard[ray]'"
            ) from None
        self._ray, self._address = ray, address
        self._held = ExitStack()
        self._started: Inbox | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._started = None
        self._held.__exit__(kind, error, trace)

    def prepare(self, cohorts: Sequence[str], places: Places, reporter: Reporter) -> None:
        """Prepare cohorts, all at once; one that cannot be is left to who opens it."""
        if needed := to_prepare(cohorts, places):
            prepare_with(self._ray, needed, places, self._inbox(), reporter)

    def compute(self, plan: Plan, reporter: Reporter, after_cell: AfterCell) -> int:
        """Compute what is not done."""
        begin(plan)
        after_cell(plan)
        if plan.to_do:
            Driver(self._ray, self._inbox(), plan, reporter, after_cell).work()
        plan.save()  # for those that another call was faster with
        return sum(task.computed for task in plan.tasks)

    def _inbox(self) -> Inbox:
        """Start Ray, the first time."""
        if self._started is None:
            self._held.enter_context(_cluster(self._ray, self._address))
            self._started = Inbox(self._ray)
        return self._started


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
    except Exception as error:  # noqa: BLE001 - Ray has no type for processes of its own that do not start
        words = str(error).partition(". ")[0].rstrip(".")
        raise UsageError(
            f"Ray does not start on this machine ({words}); stop what keeps it busy, or compute without Ray: "
            "--engine local."
        ) from None
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
