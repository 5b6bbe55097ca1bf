"""Carrying out a plan: several files at a time, each failure noted, nothing left half done."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from itertools import count
from pathlib import Path
from threading import Lock
from typing import NamedTuple
from urllib.parse import quote

from cohorts.download import disk
from cohorts.download.disk import FileError, Meter, RemoteFile, StoppedError
from cohorts.download.planning import CONNECTIONS, VERIFIED, Plan, open_ledger
from cohorts.download.publishers import explain_access
from cohorts.download.transfer import DeniedError, Transfer, Web
from cohorts.download.unpacking import unpack
from cohorts.errors import LeadboardError

GIVE_UP = 10
"""Files that fail one after the other before the rest is not tried any more."""


class Failure(NamedTuple):
    """A file that could not be had, and why."""

    path: str
    reason: str


@dataclass(slots=True)
class Summary:
    """What came of a plan.

    Attributes
    ----------
    fetched, verified, already
        How many files were fetched now, found on the disk and hashed now, known to be right before.
    failures, set_aside
        What could not be had; what was on the disk with a wrong sum, under the names that it has now.
    gave_up
        Whether the rest was not tried, because too many failed one after the other.
    """

    plan: Plan
    already: int
    fetched: int = 0
    verified: int = 0
    failures: tuple[Failure, ...] = ()
    set_aside: tuple[Path, ...] = ()
    gave_up: bool = False

    @property
    def complete(self) -> bool:
        """Whether everything is here and right."""
        return self.fetched + self.verified + self.already == len(self.plan.files)

    @property
    def text(self) -> str:
        """One sentence for the user."""
        plan, here = self.plan, self.fetched + self.verified + self.already
        share = "all" if self.complete else f"{here:,} of"
        stopped = f", the last {GIVE_UP} in a row, and the rest was not tried" if self.gave_up else ""
        failed = f", {len(self.failures):,} failed{stopped}; run the same command again for the rest"
        return (
            f"{plan.publication.card.id}: {share} {len(plan.files):,} files are in {plan.root} "
            f"({self.fetched:,} fetched, {self.verified:,} verified where they lay, {self.already:,} known)"
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
    summary = Summary(plan, plan.already)
    if not plan.missing:
        return summary
    if plan.needed > (free := disk.free_space(plan.root)):
        raise LeadboardError(
            f"{plan.publication.card.id} needs about {plan.needed:,} bytes and {free:,} are free at "
            f"{plan.root}; free some space or choose another folder with --data."
        )
    with open_ledger(plan.ledger) as ledger, Web(plan.addresses) as web:
        job = _Job(summary, web, ledger, Meter(plan.total, progress))
        with ThreadPoolExecutor(connections) as pool:
            workers = [pool.submit(job.work) for _ in range(connections)]
            try:
                wait(workers, return_when=FIRST_EXCEPTION)
            finally:  # an error of one, or an interrupt by the user, ends them all
                job.meter.stopped.set()
        for worker in workers:
            worker.result()
    summary.failures, summary.set_aside = tuple(sorted(summary.failures)), tuple(sorted(summary.set_aside))
    return summary


class _Job:
    """One download, shared by its threads."""

    def __init__(self, summary: Summary, web: Web, ledger: FileIO, meter: Meter) -> None:
        self.meter, self._plan, self._summary = meter, summary.plan, summary
        self._web, self._ledger, self._lock = web, ledger, Lock()
        self._todo, self._bases, self._in_a_row = iter(summary.plan.missing), summary.plan.addresses.files, 0

    def work(self) -> None:
        """Bring one file after the other into place, until there are no more or the download is stopped."""
        with suppress(StoppedError):
            while True:
                self.meter.wait()
                with self._lock:
                    file = next(self._todo, None)
                if file is None:
                    return
                try:
                    fetched = self._get(file)
                except FileError as error:
                    self._note(failed=Failure(file.path, str(error)))
                else:
                    self._note(fetched)

    def _note(self, fetched: bool = False, failed: Failure | None = None) -> None:
        summary = self._summary
        with self._lock:
            summary.fetched += fetched
            summary.verified += not (fetched or failed)
            summary.failures += (failed,) if failed else ()
            self._in_a_row = self._in_a_row + 1 if failed else 0
            if self._in_a_row == GIVE_UP:
                summary.gave_up = True
                self.meter.stopped.set()

    def _get(self, file: RemoteFile) -> bool:
        """Bring one file into place, and unpack it if it is an archive; whether it had to be fetched."""
        plan, target = self._plan, self._plan.root / file.path
        rule = plan.publication.release.rule_for(file.path)
        pieces = plan.known.get(file.path, ()) if rule else ()
        if pieces and all(disk.has_sum(plan.root / piece.path, piece.sum, self.meter) for piece in pieces):
            return False
        here = self._verify(file, target)
        if not here:
            self._fetch(file, target)
        if rule:
            pieces = unpack(target, plan.root, rule, self.meter)
        with disk.disk_errors(target):
            in_place = pieces or [file._replace(size=disk.size_of(target))]
            self._ledger.write(VERIFIED.dump_json((file, in_place)) + b"\n")
            if rule:
                target.unlink()
        return not here

    def _verify(self, file: RemoteFile, target: Path) -> bool:
        """Hash what lies there already; what is wrong is kept aside, since it may be somebody's work."""
        size = disk.size_of(target)
        if size is None or disk.has_sum(target, file.sum, self.meter):
            return size is not None
        self.meter.count(-size)
        names = (disk.beside(target, f"{disk.ASIDE}{number or ''}") for number in count())
        aside = next(name for name in names if not name.exists())
        with disk.disk_errors(target), self._lock:
            target.replace(aside)
            self._summary.set_aside += (aside,)
        return False

    def _fetch(self, file: RemoteFile, target: Path) -> None:
        """Fetch a file; the address that has it is the first to be asked for the next one."""
        plan, bases = self._plan, self._bases
        transfer = Transfer(file, target, self._web, 2 * plan.publication.release.size, self.meter)
        try:
            first = transfer.fetch([base + quote(file.location) for base in bases])
        except DeniedError:
            if plan.addresses.login_to:
                raise explain_access(plan.publication, plan.root) from None
            raise
        self._bases = bases[first:] + bases[:first]
