"""Fingerprints of the cohorts on this machine, each taken once, and files of those that are elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmark.files import reason, regular_size, sweep, write_atomically
from benchmark.progress import Reporter
from benchmark.text import printable
from cohorts.errors import LeadboardError, UsageError
from cohorts.hashing import code_hash, hash_of_json
from cohorts.locks import ANOTHER_CACHE, alone
from cohorts.overlap.fingerprint import fingerprints_of
from cohorts.overlap.fingerprint_file import FIRST_LINE, CohortFingerprints, from_bytes, to_bytes
from cohorts.store import Store

OVERLAP_ROOMS = (
    "cohorts/overlap",
    "cohorts/recording.py",
    "cohorts/resampling.py",
    "cohorts/store.py",
    "cohorts/store_file.py",
)
"""The code that decides which recordings are found in another cohort, given their stores."""

MOST_BYTES = 4 * 2**30
"""Of a file; ten million recordings have a quarter of it."""


def take_fingerprints(store: Store, cache: Path, reporter: Reporter) -> CohortFingerprints:
    """Give the fingerprints of a cohort in the order of its records; they are kept in the cache.

    Raises
    ------
    LeadboardError
        If the cache cannot be written to.
    """
    key = hash_of_json({"cohort": store.fingerprint, "code": code_hash(*OVERLAP_ROOMS)})
    path = cache / "fingerprints" / f"{store.card.id}-{key[:16]}.bin"
    if (kept := _kept(path, store)) is not None:
        return kept
    with alone(path.with_suffix(".lock"), f"taking the fingerprints of {store.card.id}", ANOTHER_CACHE):
        if (kept := _kept(path, store)) is not None:
            return kept
        sweep((path.parent,))
        with reporter.step(
            f"Taking the fingerprints of {store.card.id}", quiet_without_work=True
        ) as progress:
            taken = fingerprints_of(store, progress)
        found = CohortFingerprints.of(store.card, store.fingerprint, taken)
        write_atomically(path, to_bytes([found]))
    return found


def _kept(path: Path, store: Store) -> CohortFingerprints | None:
    """Give what lies in the cache, if it is whole and of this store."""
    try:
        found = from_bytes(path.read_bytes())
    except (OSError, LeadboardError):
        return None
    whole = len(found) == 1 and found[0].facts.fingerprint == store.fingerprint
    return found[0] if whole and len(found[0].fingerprints) == len(store) else None


def is_fingerprint_file(path: Path) -> bool:
    """Whether a path leads to a file that begins like one of fingerprints."""
    try:
        with path.open("rb") as file:
            return file.read(len(FIRST_LINE)).startswith(FIRST_LINE.rsplit(b" ", 1)[0])
    except OSError:
        return False


def read_fingerprints(files: Iterable[Path]) -> list[CohortFingerprints]:
    """Read the fingerprints of all cohorts in some files.

    Raises
    ------
    UsageError
        If one cannot be read; it names the file.
    """
    return [one for path in files for one in _read(path)]


def _read(path: Path) -> tuple[CohortFingerprints, ...]:
    shown = printable(str(path), 200)
    try:
        if regular_size(path) > MOST_BYTES:
            raise LeadboardError(f"it has more than {MOST_BYTES // 2**30} GiB")
        return from_bytes(path.read_bytes())
    except (OSError, LeadboardError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        raise UsageError(
            f"The fingerprints in {shown} cannot be used ({why}); get the file again, or make it with "
            "'leadboard overlap --fingerprints COHORT --out FILE'."
        ) from None


def write_fingerprints(found: Sequence[CohortFingerprints], path: Path) -> int:
    """Write a file to be shared, in an order that says nothing about the order in the cohorts.

    Returns
    -------
    Its size in bytes.
    """
    content = to_bytes([one.anonymous() for one in found])
    write_atomically(path, content)
    return len(content)
