"""Locks between processes, on one machine or on several that share a folder.

The kernel's lock of a file is taken: it ends with its process, whatever that dies of, and network file
systems pass it on to their server. Where a file system has no locks, a lease is taken instead: its holder
renews it, and one that is no longer renewed may be taken over.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLease, Timeout

from cohorts.errors import LeadboardError

logger = logging.getLogger("leadboard")

MOMENT = 1.0
"""Seconds of waiting before it is said."""

LEASE = 120.0
"""Seconds after which a lease that was not renewed may be taken over."""

ANOTHER_CACHE = "choose another cache folder with LEADBOARD_CACHE"
"""What to do where the cache cannot be used."""

_NO_LOCKS = frozenset({errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP})

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@contextmanager
def alone(path: Path, doing: str, otherwise: str = "choose another folder") -> Iterator[None]:
    """Hold a lock; waits for whoever holds it.

    Parameters
    ----------
    path
        The file of the lock, which stays.
    doing
        What the other one is doing, for the sentence that says what is waited for.
    otherwise
        What to do, after "; ", where the lock cannot be had.

    Raises
    ------
    LeadboardError
        If the file cannot be made.
    """
    lock = _acquire(path, MOMENT, otherwise)
    if lock is None:
        logger.warning("Waiting for another call that is %s.", doing)
        lock = _acquire(path, -1, otherwise)
    assert lock is not None  # noqa: S101
    with _released(lock):
        yield


@contextmanager
def alone_or_not(path: Path, otherwise: str = "choose another folder") -> Iterator[bool]:
    """Hold a lock if nobody else does, without waiting.

    Yields
    ------
    bool
        Whether it is held.
    """
    lock = _acquire(path, 0, otherwise)
    if lock is None:
        yield False
        return
    with _released(lock):
        yield True


@contextmanager
def _released(lock: BaseFileLock) -> Iterator[None]:
    try:
        yield
    finally:
        lock.release()


def _acquire(path: Path, timeout: float, otherwise: str) -> BaseFileLock | None:
    """Take a lock; None if somebody else still holds it after so many seconds (-1: wait without end)."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return _taken(FileLock(path, fallback_to_soft=False), timeout)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
        lease = path.with_name(f"{path.name}.lease")
        return _taken(SoftFileLease(lease, lease_duration=LEASE), timeout)
    except OSError as error:
        room = "free some space, or " if error.errno in _FULL else ""
        raise LeadboardError(f"Cannot write {path}: {error.strerror or error}; {room}{otherwise}.") from error


def _taken(lock: BaseFileLock, timeout: float) -> BaseFileLock | None:
    try:
        lock.acquire(timeout=timeout)
    except Timeout:
        return None
    return lock
