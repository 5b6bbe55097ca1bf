"""What a download would do: what the publisher lists, against what is here already."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cohorts.download.ledger import Known, read_ledger, size_of
from cohorts.download.listing import PART, RemoteFile
from cohorts.download.publishers import Addresses, addresses_of
from cohorts.download.releases import Release, find_release
from cohorts.download.transfer import beside
from cohorts.errors import LeadboardError

CONNECTIONS = 4
"""How many files are fetched at a time; publishers ask for few."""

STATE = ".leadboard"
"""Folder below the data root for lists and for what was verified; the releases stay as published."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What `download` would do.

    Attributes
    ----------
    files
        Everything that the release consists of.
    missing
        What is not known to be here and right: to be fetched, or to be verified where it lies.
    bytes
        What is still to come over the network; an estimate where the publisher lists no sizes.
    total
        ``bytes`` and what is already here of the missing files, which is hashed.
    needed
        Bytes that it takes on the disk, unpacking included.
    free
        Bytes free there.
    verify
        Whether everything is hashed again.
    """

    cohort_id: str
    release: Release
    root: Path
    ledger: Path
    addresses: Addresses
    files: Sequence[RemoteFile]
    missing: Sequence[RemoteFile]
    bytes: int
    total: int
    needed: int
    free: int
    known: Known = field(default_factory=Known)
    verify: bool = False

    @property
    def already(self) -> int:
        """How many files are here and verified."""
        return len(self.files) - len(self.missing)

    def check_space(self) -> None:
        """See to it that the disk has room.

        Raises
        ------
        LeadboardError
            With what is needed and what is free.
        """
        free = free_space(self.root)
        if self.needed > free:
            raise LeadboardError(
                f"{self.cohort_id} needs about {self.needed:,} bytes and {free:,} are free at {self.root}; "
                "free some space or choose another folder with --data."
            )


def plan_download(
    cohort_id: str, data_root: Path, *, mirror: str | None = None, verify: bool = False
) -> Plan:
    """Find out what a release consists of, and what of it is missing.

    The publisher is asked once; later calls use its list as it was (published versions do not change).

    Parameters
    ----------
    data_root
        Folder of the releases; each lies in its own folder below it.
    mirror
        Address to use in place of the publisher's; ``LEADBOARD_MIRROR`` if not given.
    verify
        Hash again what was verified before.

    Raises
    ------
    UnknownNameError
        If there is no such release.
    UsageError
        If the mirror's address cannot be used, or the release asks for an account first: with what to
        sign, where, and what to do then.
    LeadboardError
        If the publisher's list cannot be had.
    """
    release = find_release(cohort_id)
    addresses = addresses_of(release, mirror or os.environ.get("LEADBOARD_MIRROR"))
    root, state = Path(data_root) / release.folder, Path(data_root) / STATE / release.folder
    files = _files(cohort_id, release, addresses, root, state / f"{cohort_id}.list")
    ledger = state / "verified.jsonl"
    known = read_ledger(ledger, root, {file.path: file for file in files})
    if verify:
        known.verified.clear()
    missing = [
        file
        for file in files
        if verify or file.path not in (known.unpacked if unpack_rule(release, file) else known.verified)
    ]
    here = sum(size_of(root / file.path) or size_of(beside(root / file.path, PART)) or 0 for file in missing)
    total = _size(release, missing, len(files))
    needed = _needed(release, missing, files, total) - here
    return Plan(
        cohort_id,
        release,
        root,
        ledger,
        addresses,
        files,
        missing,
        bytes=max(0, total - here),
        total=max(total, here),
        needed=max(0, needed),
        free=free_space(root),
        known=known,
        verify=verify,
    )
