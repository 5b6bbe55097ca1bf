"""Preparing cohorts as tasks of Ray: all at once, each on one processor of some machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmark.config import Places
from benchmark.progress import Reporter
from benchmark.protocols.hardware import Hardware
from benchmark.run.cohorts import is_prepared
from benchmark.run.ray_messages import Inbox
from benchmark.run.ray_resources import alive, places_for, share_of, task_options
from benchmark.run.ray_tasks import prepare
from cohorts.errors import LeadboardError
from cohorts.tasks import cohort_of


def to_prepare(cohorts: Sequence[str], places: Places) -> list[str]:
    """Give those that are not prepared; published tasks are of one cohort."""
    return [name for name in dict.fromkeys(map(cohort_of, cohorts)) if _outdated(name, places)]


def _outdated(cohort: str, places: Places) -> bool:
    try:
        return not is_prepared(cohort, places)
    except LeadboardError:  # which who opens it says again
        return False


def prepare_with(ray: Any, cohorts: Sequence[str], places: Places, inbox: Inbox, reporter: Reporter) -> None:
    """Prepare cohorts, and say where; one that cannot be prepared is left to who opens it.

    Raises
    ------
    UsageError
        If no machine has a processor for it.
    """
    share = share_of(Hardware("cpu", workers=1), alive(ray))
    outbox = inbox.outbox(places_for(share, alive(ray)))
    remote = ray.remote(max_calls=1)(prepare).options(**task_options(share))
    folder = Path.cwd().absolute()
    running = {remote.remote(cohort, places, folder, outbox): cohort for cohort in cohorts}
    reporter.say(f"Preparing with Ray: {', '.join(cohorts)}")
    while running:
        done = ray.wait(list(running), timeout=1.0)[0]
        inbox.deliver(reporter)
        for ref in done:
            reporter.say(_outcome(ray, ref, running.pop(ref)))


def _outcome(ray: Any, ref: Any, cohort: str) -> str:
    try:
        found = ray.get(ref)
    except ray.exceptions.RayTaskError:
        raise  # a mistake of the suite, as it would be here
    except ray.exceptions.RayError:
        return f"Not prepared by Ray: {cohort}: its process ended without a word; it is prepared here."
    where = f"{found.machine} ({found.node[:8]})"
    if found.failed:
        return f"Not prepared on {where}: {cohort}: {found.failed.rstrip('.')}; it is prepared here."
    return f"Prepared {cohort} on {where}: {found.seconds:,.1f} s"
