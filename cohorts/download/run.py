"""Carrying out a plan: several files at a time, each failure noted, nothing left half done."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from threading import Event, Lock
from urllib.parse import quote

from cohorts.download.archives import unpack
from cohorts.download.ledger import Ledger, Member, open_ledger, size_of
from cohorts.download.listing import ASIDE, RemoteFile
from cohorts.download.planning import CONNECTIONS, Plan, explain_access, unpack_rule
from cohorts.download.releases import Unpack
from cohorts.download.transfer import FileError, StoppedError, beside, disk_errors, fetch, has_sum
from cohorts.download.web import DeniedError, Web

Progress = Callable[[int, int], None]

GIVE_UP = 10
"""Files that fail one after the other before the rest is not tried any more."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be had, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What came of a download.

    Attributes
    ----------
    files
        How many the release consists of.
    fetched
        How many were fetched now.
    verified
        How many were found on the disk and hashed now.
    already
        How many were known to be right before.
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


def download(plan: Plan, progress: Progress | None = None, *, connections: int = CONNECTIONS) -> Summary:
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
    before = Summary(
        plan.cohort_id, plan.root, len(plan.files), already=plan.already, afterwards=plan.release.afterwards
    )
    if not plan.missing:
        return before
    plan.check_space()
    with open_ledger(plan.ledger) as ledger:
        web = Web(connections, loopback=plan.addresses.loopback, login_to=plan.addresses.login_to)
        job = _Job(plan, web, ledger, progress or (lambda done, total: None))
        try:
            job.run(connections)
        finally:
            web.close()
    return replace(
        before,
        fetched=job.fetched,
        verified=job.verified,
        failures=tuple(sorted(job.failures, key=lambda failure: failure.path)),
        set_aside=tuple(sorted(job.set_aside)),
        gave_up=job.gave_up,
    )


class _Job:
    """One download, shared by its threads."""

    def __init__(self, plan: Plan, web: Web, ledger: Ledger, progress: Progress) -> None:
        self.fetched = self.verified = 0
        self.gave_up = False
        self.failures: list[Failure] = []
        self.set_aside: list[Path] = []
        self._plan = plan
        self._web = web
        self._ledger = ledger
        self._progress = progress
        self._todo = iter(plan.missing)
        self._lock = Lock()
        self._stop = Event()
        self._done = 0
        self._in_a_row = 0
        self._first = 0

    def run(self, connections: int) -> None:
        """Let some threads work until nothing is left; the first unexpected error stops them all."""
        with ThreadPoolExecutor(connections, thread_name_prefix="download") as pool:
            try:
                for worker in [pool.submit(self._work) for _ in range(connections)]:
                    worker.result()
            except BaseException:  # an interrupt by the user too must end the threads
                self._stop.set()
                raise

    def _work(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                file = next(self._todo, None)
            if file is None:
                return
            try:
                self._get(file)
            except FileError as error:
                self._fail(file, str(error))
            except StoppedError:
                return
            except BaseException:
                self._stop.set()
                raise

    def _get(self, file: RemoteFile) -> None:
        """Bring one file into place, and unpack it if it is an archive."""
        plan, target = self._plan, self._plan.root / file.path
        rule = unpack_rule(plan.release, file)
        if rule and self._intact(plan.known.unpacked.get(file.path, [])):
            self._succeed(fetched=False)
            return
        here = self._verify(file, target)
        if not here:
            self._fetch(file, target)
        if rule:
            self._unpack(file, target, rule)
        self._succeed(fetched=not here)

    def _verify(self, file: RemoteFile, target: Path) -> bool:
        """Hash what lies there already; what is wrong is kept aside."""
        size = size_of(target)
        if size is None:
            return False
        if has_sum(target, file.sum, self._stop, self._advance):
            self._ledger.add(file, size)
            return True
        self._advance(-size)
        names = (beside(target, f"{ASIDE}{number or ''}") for number in count())
        aside = next(name for name in names if not name.exists())  # it may be somebody's work
        with disk_errors(target):
            target.replace(aside)
        with self._lock:
            self.set_aside.append(aside)
        return False

    def _fetch(self, file: RemoteFile, target: Path) -> None:
        bases = self._plan.addresses.files
        bases = bases[self._first :] + bases[: self._first]
        urls = [base + quote(file.location) for base in bases]
        most = 2 * self._plan.release.size
        try:
            used = fetch(file, target, urls, self._web, most=most, stop=self._stop, advance=self._advance)
        except DeniedError as error:
            if self._plan.addresses.login_to:
                raise explain_access(self._plan.cohort_id, self._plan.release, self._plan.root) from None
            raise FileError(str(error)) from None
        if used:  # the address that works is the first to be asked for the next file
            self._first = self._plan.addresses.files.index(bases[used])
        size = size_of(target)
        if size is not None:
            self._ledger.add(file, size)

    def _unpack(self, file: RemoteFile, target: Path, rule: Unpack) -> None:
        members = unpack(target, self._plan.root, rule, self._stop)
        self._ledger.add_unpacked(file, members)
        with disk_errors(target):
            target.unlink()

    def _intact(self, members: list[Member]) -> bool:
        root = self._plan.root
        return bool(members) and all(
            has_sum(root / member.path, member.sum, self._stop, self._advance) for member in members
        )

    def _succeed(self, *, fetched: bool) -> None:
        with self._lock:
            self.fetched += fetched
            self.verified += not fetched
            self._in_a_row = 0

    def _fail(self, file: RemoteFile, reason: str) -> None:
        with self._lock:
            self.failures.append(Failure(file.path, reason))
            self._in_a_row += 1
            if self._in_a_row >= GIVE_UP:
                self.gave_up = True
                self._stop.set()

    def _advance(self, size: int) -> None:
        with self._lock:
            self._done += size
            self._progress(max(0, self._done), max(self._plan.total, self._done))
