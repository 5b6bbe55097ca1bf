"""What a download would do: what the publisher lists, against what is here already."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import urlsplit

from cohorts.download.disk import PART, beside, disk_errors, free_space, size_of
from cohorts.download.ledger import Known, read_ledger
from cohorts.download.listing import RemoteFile, read_lines, without_conflicts, write_lines
from cohorts.download.publishers import (
    SUMS,
    Publication,
    addresses_of,
    list_files,
    publication_of,
    read_sums,
)
from cohorts.download.web import Addresses, DeniedError, account
from cohorts.errors import LeadboardError, UsageError
from cohorts.release import Unpack

CONNECTIONS = 4
"""How many files are fetched at a time; publishers ask for few."""
STATE = ".leadboard"
"""Folder below the data root for lists and for what was verified; the releases stay as published."""


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
    UsageError
        If there is no such cohort, it cannot be fetched, the mirror's address cannot be used, or the release
        asks for an account first: with what to sign, where, and what to do then.
    LeadboardError
        If the publisher's list cannot be had.
    """
    publication = publication_of(cohort_id)
    addresses = addresses_of(publication, mirror or os.environ.get("LEADBOARD_MIRROR"))
    root = publication.folder(data_root)
    state = data_root / STATE / root.relative_to(data_root)
    files = _files(publication, addresses, root, state / f"{cohort_id}.list")
    known = read_ledger(state / "verified.jsonl", root, {file.path: file for file in files})
    missing = [file for file in files if verify or file.path not in known]
    here, total = _here_and_in_all(publication, root, missing, known)
    return Plan(
        publication,
        root,
        state / "verified.jsonl",
        addresses,
        files,
        missing,
        known,
        bytes=max(0, total - here),
        total=max(total, here),
        needed=max(0, total - here + _room_to_unpack(publication, files, missing, known)),
        free=free_space(root),
    )


def unpack_rule(publication: Publication, file: RemoteFile) -> Unpack | None:
    """How a file is to be unpacked, or None if it is no archive."""
    return next((rule for rule in publication.release.unpack if fnmatch(file.path, rule.name)), None)


def explain_access(publication: Publication, root: Path) -> UsageError:
    """Tell what to sign, where, and what to do then."""
    card, release, url = publication.card, publication.release, addresses_of(publication).files[0]
    again = f"'leadboard download {card.id}'"
    return UsageError(
        f"{card.id} ({card.licence}, about {release.size:,} bytes) is not open to everybody: sign "
        f"{release.agreement} at {card.url}, then set PHYSIONET_USER and PHYSIONET_PASSWORD (or an entry "
        f"for {urlsplit(url).hostname} in the netrc file) and run {again}; if the account is refused all "
        f"the same, fetch it with 'wget -r -N -c -np -nH --cut-dirs=3 --user YOUR_NAME --ask-password "
        f"-P {root} {url}' and run {again} to verify it."
    )


def _here_and_in_all(
    publication: Publication, root: Path, missing: Sequence[RemoteFile], known: Known
) -> tuple[int, int]:
    """Count the bytes of missing files that are here, to be hashed or completed, and their bytes in all."""
    here, sizes = 0, list[int | None]()
    for file in missing:
        size = _sizes(known[file.path]) if file.path in known else size_of(root / file.path)
        here += (size_of(beside(root / file.path, PART)) or 0) if size is None else size
        sizes.append(size if file.path in known or file.size is None else file.size)
    total = sum(size or 0 for size in sizes)
    if None in sizes:  # then all that is known is the size of the release
        kept = {file.path for file in missing}
        total = max(
            0, publication.release.size - sum(_sizes(known[path]) for path in known if path not in kept)
        )
    return here, total


def _room_to_unpack(
    publication: Publication, files: Sequence[RemoteFile], missing: Sequence[RemoteFile], known: Known
) -> int:
    """Count what unpacking takes beyond the archives; each is removed when it is unpacked."""
    archives = {file.path: file.size or 0 for file in files if unpack_rule(publication, file)}
    packed = sorted(archives.get(file.path, 0) for file in missing if file.path not in known)
    unpacked = publication.release.size * sum(packed) // max(1, sum(archives.values()))
    return unpacked - sum(packed) + sum(packed[-CONNECTIONS:])


def _sizes(files: Iterable[RemoteFile]) -> int:
    return sum(file.size or 0 for file in files)


def _files(publication: Publication, addresses: Addresses, root: Path, saved: Path) -> list[RemoteFile]:
    """List the release as it was listed before, or as the publisher lists it now."""
    facts = publication.release.model_dump_json(include={"subfolder", "beside", "sums"})
    head = f"# {publication.card.url} {facts}\n"
    with disk_errors(saved):
        if saved.is_file():
            with (
                saved.open(encoding="utf-8", errors="replace") as lines,
                suppress(ValueError, LeadboardError),
            ):
                if next(lines, "") == head:
                    return read_lines(lines)
        files = _ask(publication, addresses, root)
        saved.parent.mkdir(parents=True, exist_ok=True)
        draft = beside(saved, PART)
        with draft.open("w", encoding="utf-8") as file:
            file.write(head)
            file.writelines(write_lines(files))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(saved)
    return files


def _ask(publication: Publication, addresses: Addresses, root: Path) -> list[RemoteFile]:
    try:
        if not addresses.login_to or account(addresses.lists[0]):
            return list_files(publication, addresses)
    except DeniedError as error:
        if not addresses.login_to:
            raise LeadboardError(f"{error}; see {publication.card.url}.") from None
    own = root / SUMS  # whoever has fetched it by other means has the publisher's list too
    if own.is_file():
        try:
            return without_conflicts(read_sums(own, publication.release), publication.release.sums)
        except LeadboardError as error:
            raise LeadboardError(f"{error}: {own} cannot be used; delete it.") from None
    raise explain_access(publication, root)
