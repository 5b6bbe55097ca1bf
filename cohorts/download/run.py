"""Carrying out a plan: several files at a time, each failure noted, nothing left half done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
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
from cohorts.download.ledger import Ledger, open_ledger
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
    failures
        What could not be had.
    set_aside
        Files that were on the disk with a wrong sum, under the names that they have now.
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
        counts = (
            f"{self.fetched:,} fetched, {self.verified:,} verified where they lay, {self.already:,} known"
        )
        if self.complete:
            return f"{self.cohort_id}: all {self.files:,} files are in {self.root} ({counts})."
        stopped = f", the last {GIVE_UP} in a row, and the rest was not tried" if self.gave_up else ""
        return (
            f"{self.cohort_id}: {here:,} of {self.files:,} files are in {self.root} ({counts}), "
            f"{len(self.failures):,} failed{stopped}; run the same command again for the rest."
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
        If the disk has too little room or becomes full, or another process is at it.
    UsageError
        If the publisher asks for an account.
    """
    card, release = plan.publication.card, plan.publication.release
    summary = Summary(
        card.id, plan.root, len(plan.files), already=plan.already, afterwards=release.afterwards
    )
    if not plan.missing:
        return summary
    if plan.needed > (free := free_space(plan.root)):
        raise LeadboardError(
            f"{card.id} needs about {plan.needed:,} bytes and {free:,} are free at {plan.root}; "
            "free some space or choose another folder with --data."
        )
    with open_ledger(plan.ledger) as ledger, Web(plan.addresses, connections) as web:
        _Job(plan, web, ledger, Meter(plan.total, progress), summary).run(connections)
    summary.failures, summary.set_aside = tuple(sorted(summary.failures)), tuple(sorted(summary.set_aside))
    return summary


class _Job:
    """One download, shared by its threads."""

    def __init__(self, plan: Plan, web: Web, ledger: Ledger, meter: Meter, summary: Summary) -> None:
        self._plan, self._web, self._ledger, self._meter = plan, web, ledger, meter
        self._summary = summary
        self._todo = iter(plan.missing)
        self._lock = Lock()
        self._in_a_row = self._first = 0

    def run(self, connections: int) -> None:
        """Let some threads work until nothing is left; the first unexpected error stops them all."""
        with ThreadPoolExecutor(connections, thread_name_prefix="download") as pool:
            try:
                for worker in [pool.submit(self._work) for _ in range(connections)]:
                    worker.result()
            finally:  # an interrupt by the user too must end the threads
                self._meter.stop()

    def _work(self) -> None:
        try:
            while True:
                self._meter.wait()
                with self._lock:
                    file = next(self._todo, None)
                if file is None:
                    return
                try:
                    self._note(fetched=self._get(file))
                except FileError as error:
                    self._note(Failure(file.path, str(error)))
        except StoppedError:
            return
        except BaseException:
            self._meter.stop()
            raise

    def _note(self, failure: Failure | None = None, *, fetched: bool = False) -> None:
        summary = self._summary
        with self._lock:
            if failure is None:
                summary.fetched += fetched
                summary.verified += not fetched
                self._in_a_row = 0
                return
            summary.failures += (failure,)
            self._in_a_row += 1
            if self._in_a_row >= GIVE_UP:
                summary.gave_up = True
                self._meter.stop()

    def _get(self, file: RemoteFile) -> bool:
        """Bring one file into place, and unpack it if it is an archive; whether it had to be fetched."""
        plan, target = self._plan, self._plan.root / file.path
        rule = unpack_rule(plan.publication, file)
        pieces = plan.known.get(file.path, ()) if rule else ()
        if pieces and all(has_sum(plan.root / piece.path, piece.sum, self._meter) for piece in pieces):
            return False
        here = self._verify(file, target)
        if not here:
            self._fetch(file, target)
        if rule:
            self._ledger.add(file, unpack(target, plan.root, rule, self._meter))
            with disk_errors(target):
                target.unlink()
        else:
            self._ledger.add(file, [replace(file, size=size_of(target))])
        return not here

    def _verify(self, file: RemoteFile, target: Path) -> bool:
        """Hash what lies there already; what is wrong is kept aside."""
        size = size_of(target)
        if size is None or has_sum(target, file.sum, self._meter):
            return size is not None
        self._meter.count(-size)
        names = (beside(target, f"{ASIDE}{number or ''}") for number in count())
        aside = next(name for name in names if not name.exists())  # it may be somebody's work
        with disk_errors(target):
            target.replace(aside)
        with self._lock:
            self._summary.set_aside += (aside,)
        return False

    def _fetch(self, file: RemoteFile, target: Path) -> None:
        plan, bases = self._plan, self._plan.addresses.files
        bases = bases[self._first :] + bases[: self._first]
        urls = [base + quote(file.location) for base in bases]
        try:
            used = fetch(file, target, urls, self._web, 2 * plan.publication.release.size, self._meter)
        except DeniedError:
            if plan.addresses.login_to:
                raise explain_access(plan.publication, plan.root) from None
            raise
        if used:  # the address that works is the first to be asked for the next file
            self._first = plan.addresses.files.index(bases[used])
