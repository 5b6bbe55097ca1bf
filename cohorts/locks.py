"""One process at a time, also among several machines that share a disk."""

from __future__ import annotations

import errno
import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from cohorts.errors import LeadboardError

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)
"""What disks without locks answer: network and parallel file systems that were mounted without them."""

ANOTHER_CACHE = "choose another cache folder with LEADBOARD_CACHE"
"""What to do where the cache cannot be used."""


@contextmanager
def locked(
    path: Path,
    *,
    waiting: Callable[[], None] = lambda: None,
    otherwise: str = "choose another folder",
) -> Iterator[None]:
    """Hold the lock of a file; the kernel lets go of it when the process ends, in whatever way.

    Parameters
    ----------
    path
        The lock file. It is made if it is not there, and stays: removing it would let two processes in.
    waiting
        Called once if another process holds the lock, before waiting for it.
    otherwise
        What to do, after "; ", where the lock cannot be had.

    Raises
    ------
    LeadboardError
        If the file cannot be made, or its file system has no locks.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
    except OSError as error:
        room = "free some space, or " if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        raise LeadboardError(f"Cannot write {path}: {error.strerror or error}; {room}{otherwise}.") from error
    with file:
        if not take_lock(file, path, wait=False, otherwise=otherwise):
            waiting()
            take_lock(file, path, otherwise=otherwise)
        yield


def take_lock(
    file: IO[Any], path: Path, *, wait: bool = True, otherwise: str = "choose another folder"
) -> bool:
    """Lock an open file until it is closed; False, with ``wait=False``, if another process holds its lock.

    Raises
    ------
    LeadboardError
        If the file system has no locks.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        what = "has no file locks" if error.errno in _NO_LOCKS else "does not lock files"
        raise LeadboardError(
            f"The file system of {path.parent} {what} ({error.strerror or error}), so two processes could "
            f"write there at once; {otherwise}."
        ) from error
    return True
