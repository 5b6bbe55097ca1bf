"""How much memory reading a stranger's file may take."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def limited_memory(more: int) -> Iterator[None]:
    """Let this process allocate so much more memory and no further, where the system can say so (Linux).

    Parameters
    ----------
    more
        Bytes; an allocation beyond them fails with MemoryError, or with what a library makes of it.
    """
    if sys.platform != "linux":
        yield
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    allowed = pages * resource.getpagesize() + more
    lowest = min(limit for limit in (allowed, soft, hard) if limit != resource.RLIM_INFINITY)
    resource.setrlimit(resource.RLIMIT_DATA, (lowest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
