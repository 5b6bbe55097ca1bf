"""What a download would do: what the publisher lists, against what is here already."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from pydantic import TypeAdapter

from cohorts.download.disk import PART, RemoteFile, beside, disk_errors, free_space, size_of
from cohorts.download.publishers import Publication, addresses_of, list_files, publication_of
from cohorts.download.transfer import Addresses
from cohorts.errors import LeadboardError, UsageError
from cohorts.locks import alone_or_not
from cohorts.release import Release

CONNECTIONS = 4
"""How many files are fetched at a time; publishers ask for few."""
STATE = ".leadboard"
"""Folder below the data root for lists and for what was verified; the releases stay as published."""

Known = Mapping[str, Sequence[RemoteFile]]
"""What is in place of files, by path: the file itself, or what was in the archive."""

LISTED = TypeAdapter(tuple[str, list[RemoteFile]])
"""A saved list: what it is a list of, and the files."""
VERIFIED = TypeAdapter(tuple[RemoteFile, Sequence[RemoteFile]])
"""A line of the ledger: a file that is verified, and what is in place of it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What `download` would do.

    Attributes
    ----------
    files, missing
        Everything that the release consists of; what of it is not known to be here and right: to be
        fetched, or to be verified where it lies.
    bytes, total
        What is still to come over the network, an estimate where the publisher lists no sizes; and with
        what is already here of the missing files, which is hashed.
    needed, free
        Bytes that it takes on the disk, unpacking included, and bytes free there.
    """

    publication: Publication
    root: Path
    ledger: Path
    addresses: Addresses
    files: Sequence[RemoteFile]
    missing: Sequence[RemoteFile]
    known: Known
    bytes: int
    total: int
    needed: int
    free: int

    @property
    def already(self) -> int:
        """How many files are here and verified."""
        return len(self.files) - len(self.missing)


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
    LeadboardError
        If the publisher's list cannot be had (UsageError: the cohort or the mirror cannot be used, or the
        release asks for an account first; with what to sign, where, and what to do then).
    """
    publication = publication_of(cohort_id)
    addresses = addresses_of(publication, mirror or os.environ.get("LEADBOARD_MIRROR"))
    root = publication.folder(data_root)
    state = data_root / STATE / root.relative_to(data_root)
    files = _files(publication, addresses, root, state / f"{cohort_id}.list")
    known = _read_ledger(ledger := state / "verified.jsonl", root, files)
    missing = [file for file in files if verify or file.path not in known]
    amounts = _amounts(publication.release, root, files, missing, known)
    return Plan(publication, root, ledger, addresses, files, missing, known, *amounts, free_space(root))


def _files(publication: Publication, addresses: Addresses, root: Path, saved: Path) -> list[RemoteFile]:
    """List the release as it was listed before, or as the publisher lists it now."""
    facts = publication.release.model_dump_json(include={"subfolder", "beside", "sums"})
    of = f"{publication.card.url} {facts}"
    with disk_errors(saved):
        with suppress(FileNotFoundError, ValueError, LeadboardError):
            before, files = LISTED.validate_json(saved.read_bytes())
            if before == of:
                return files
        files = list_files(publication, addresses, root)
        saved.parent.mkdir(parents=True, exist_ok=True)
        draft = beside(saved, PART)
        draft.write_bytes(LISTED.dump_json((of, files)))
        draft.replace(saved)
    return files


def _read_ledger(path: Path, root: Path, files: Iterable[RemoteFile]) -> Known:
    """Give what is in place of a release's files; only sizes are looked at again."""
    known, sums = dict[str, Sequence[RemoteFile]](), {file.path: file.sum for file in files}
    with disk_errors(path), suppress(FileNotFoundError), path.open("rb") as lines:
        for line in lines:
            with suppress(ValueError, LeadboardError):
                file, pieces = VERIFIED.validate_json(line)
                in_place = pieces and all(size_of(root / piece.path) == piece.size for piece in pieces)
                if in_place and sums.get(file.path) == file.sum:
                    known[file.path] = pieces
    return known


@contextmanager
def open_ledger(path: Path) -> Iterator[FileIO]:
    """Open the ledger of a release for more lines; UsageError if another process is at it.

    Lines are only ever appended: a process that is killed loses at most its last one, and a line that cannot
    be read only means that its file is looked at once more.
    """
    with ExitStack() as stack:
        with disk_errors(path):
            lock = alone_or_not(path.with_name(f"{path.name}.lock"), "download to another disk")
            if not stack.enter_context(lock):
                raise UsageError(f"Another process is downloading to {path.parent}; wait until it is done.")
            file = stack.enter_context(path.open("ab", buffering=0))  # a line is one write, for threads
            file.write(b"\n")  # ends a line that a killed process left torn
        yield file


def _amounts(
    release: Release, root: Path, files: Sequence[RemoteFile], missing: Sequence[RemoteFile], known: Known
) -> tuple[int, int, int]:
    """Count the bytes to come, those with what is here of the missing files, and those needed on the disk."""
    inside = {path: sum(piece.size or 0 for piece in pieces) for path, pieces in known.items()}
    here, sizes = 0, list[int | None]()
    for file in missing:
        target = root / file.path
        lies = inside.get(file.path, size_of(target))
        here += (size_of(beside(target, PART)) or 0) if lies is None else lies
        sizes.append(lies if file.path in known or file.size is None else file.size)
    total = sum(size or 0 for size in sizes)
    if None in sizes:  # then all that is known is the size of the release
        kept = inside.keys() - {file.path for file in missing}
        total = max(0, release.size - sum(inside[path] for path in kept))
    # An archive is removed when it is unpacked; as many as are fetched at a time lie beside what was in them.
    archives = {file.path: file.size or 0 for file in files if release.rule_for(file.path)}
    packed = sorted(archives.get(file.path, 0) for file in missing if file.path not in known)
    unpacked = release.size * sum(packed) // max(1, sum(archives.values()))
    to_come = total - here
    return max(0, to_come), max(total, here), max(0, to_come + unpacked - sum(packed[:-CONNECTIONS]))
