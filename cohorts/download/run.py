"""Carrying out a plan: several files at a time, each failure noted, nothing left half done."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Lock
from typing import NamedTuple
from urllib.parse import quote

from cohorts.download.disk import (
    ASIDE,
    FileError,
    Meter,
    StoppedError,
    beside,
    disk_errors,
    free_space,
    has_sum,
    size_of,
)
from cohorts.download.fetching import fetch
from cohorts.download.ledger import Add, open_ledger
from cohorts.download.listing import RemoteFile
from cohorts.download.planning import CONNECTIONS, Plan, explain_access, unpack_rule
from cohorts.download.unpacking import unpack
from cohorts.download.web import DeniedError, Web
from cohorts.errors import LeadboardError

GIVE_UP = 10
"""Files that fail one after the other before the rest is not tried any more."""


class Failure(NamedTuple):
    """A file that could not be had, and why."""

    path: str
    reason: str


@dataclass(slots=True)
class Summary:
    """What came of a download.

    Attributes
    ----------
    files
        How many the release consists of.
    fetched, verified, already
        How many were fetched now, found on the disk and hashed now, known to be right before.
    failures, set_aside
        What could not be had; what was on the disk with a wrong sum, under the names that it has now.
    gave_up
        Whether the rest was not tried, because too many failed one after the other.
    afterwards
        What is left to do by hand, if anything.
    """

    cohort_id: str
    root: Path
    files: int
    fetched: int = 0
    verified: int = 0
    already: int = 0
    failures: tuple[Failure, ...] = ()
    set_aside: tuple[Path, ...] = ()
    gave_up: bool = False
    afterwards: str = ""

    @property
    def complete(self) -> bool:
        """Whether everything is here and right."""
        return self.fetched + self.verified + self.already == self.files

    @property
    def text(self) -> str:
        """One sentence for the user."""
        here = self.fetched + self.verified + self.already
        share = f"all {self.files:,}" if self.complete else f"{here:,} of {self.files:,}"
        stopped = f", the last {GIVE_UP} in a row, and the rest was not tried" if self.gave_up else ""
        failed = f", {len(self.failures):,} failed{stopped}; run the same command again for the rest"
        return (
            f"{self.cohort_id}: {share} files are in {self.root} ({self.fetched:,} fetched, "
            f"{self.verified:,} verified where they lay, {self.already:,} known)"
            f"{'' if self.complete else failed}."
        )


def download(
    plan: Plan, progress: Callable[[int, int], None] | None = None, *, connections: int = CONNECTIONS
) -> Summary:
    """Fetch and verify what is missing; a second run goes on where a first was stopped.

    Parameters
    ----------
    progress
        Called with bytes done and bytes in all, from one thread at a time.
    connections
        Files fetched at a time.

    Returns
    -------
    Summary
        Look at ``complete`` and ``failures``: a file that fails does not stop the others.

    Raises
    ------
    LeadboardError
        If the disk has too little room or becomes full, another process is at it, or the publisher asks
        for an account.
    """
    card, afterwards = plan.publication.card, plan.publication.release.afterwards
    summary = Summary(card.id, plan.root, len(plan.files), already=plan.already, afterwards=afterwards)
    if not plan.missing:
        return summary
    if plan.needed > (free := free_space(plan.root)):
        raise LeadboardError(
            f"{card.id} needs about {plan.needed:,} bytes and {free:,} are free at {plan.root}; "
            "free some space or choose another folder with --data."
        )
    with open_ledger(plan.ledger) as add, Web(plan.addresses, connections) as web:
        job = _Job(plan, web, add, Meter(plan.total, progress), summary)
        with ThreadPoolExecutor(connections) as pool:
            workers = [pool.submit(job.work) for _ in range(connections)]
            try:
                wait(workers, return_when=FIRST_EXCEPTION)
            finally:  # an error of one, or an interrupt by the user, ends them all
                job.meter.stop()
        for worker in workers:
            worker.result()
    summary.failures, summary.set_aside = tuple(sorted(summary.failures)), tuple(sorted(summary.set_aside))
    return summary


class _Job:
    """One download, shared by its threads."""

    def __init__(self, plan: Plan, web: Web, add: Add, meter: Meter, summary: Summary) -> None:
        self.meter, self._plan, self._web, self._add, self._summary = meter, plan, web, add, summary
        self._todo, self._lock = iter(plan.missing), Lock()
        self._in_a_row = self._first = 0

    def work(self) -> None:
        """Bring one file after the other into place, until there are no more or the download is stopped."""
        with suppress(StoppedError):
            while True:
                self.meter.wait()
                with self._lock:
                    file = next(self._todo, None)
                if file is None:
                    return
                failed: tuple[Failure, ...] = ()
                try:
                    fetched = self._get(file)
                except FileError as error:
                    fetched, failed = False, (Failure(file.path, str(error)),)
                with self._lock:
                    self._note(fetched, failed)

    def _note(self, fetched: bool, failed: tuple[Failure, ...]) -> None:
        self._summary.failures += failed
        self._summary.fetched += fetched
        self._summary.verified += not (fetched or failed)
        self._in_a_row = self._in_a_row + 1 if failed else 0
        if self._in_a_row == GIVE_UP:
            self._summary.gave_up = True
            self.meter.stop()

    def _get(self, file: RemoteFile) -> bool:
        """Bring one file into place, and unpack it if it is an archive; whether it had to be fetched."""
        plan, target = self._plan, self._plan.root / file.path
        rule = unpack_rule(plan.publication, file)
        pieces = plan.known.get(file.path, ()) if rule else ()
        if pieces and all(has_sum(plan.root / piece.path, piece.sum, self.meter) for piece in pieces):
            return False
        here = self._verify(file, target)
        if not here:
            self._fetch(file, target)
        if rule:
            pieces = unpack(target, plan.root, rule, self.meter)
        self._add(file, pieces or [file._replace(size=size_of(target))])
        if rule:
            with disk_errors(target):
                target.unlink()
        return not here

    def _verify(self, file: RemoteFile, target: Path) -> bool:
        """Hash what lies there already; what is wrong is kept aside, since it may be somebody's work."""
        size = size_of(target)
        if size is None or has_sum(target, file.sum, self.meter):
            return size is not None
        self.meter.count(-size)
        names = (beside(target, f"{ASIDE}{number or ''}") for number in count())
        aside = next(name for name in names if not name.exists())
        with disk_errors(target), self._lock:
            target.replace(aside)
            self._summary.set_aside += (aside,)
        return False

    def _fetch(self, file: RemoteFile, target: Path) -> None:
        """Fetch a file; the address that has it is the first to be asked for the next one."""
        plan, bases = self._plan, self._plan.addresses.files
        order = [(self._first + number) % len(bases) for number in range(len(bases))]
        urls = [bases[number] + quote(file.location) for number in order]
        most = 2 * plan.publication.release.size
        try:
            self._first = order[fetch(file, target, urls, self._web, most, self.meter)]
        except DeniedError:
            if plan.addresses.login_to:
                raise explain_access(plan.publication, plan.root) from None
            raise
