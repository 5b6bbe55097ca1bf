"""What a download would do: what the publisher lists, against what is here already."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import urlsplit

from cohorts.download.ledger import Known, read_ledger, size_of
from cohorts.download.listing import PART, RemoteFile, read_lines, without_conflicts, write_lines
from cohorts.download.publishers import SUMS, Addresses, addresses_of, list_files, parse_sums
from cohorts.download.releases import PhysioNet, Release, Unpack, find_release
from cohorts.download.transfer import beside, disk_errors
from cohorts.download.web import DeniedError, Web, has_login
from cohorts.errors import LeadboardError, UsageError

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
    lying = [_lying(root, file, known) for file in missing]
    here = sum(
        (size_of(beside(root / file.path, PART)) or 0) if size is None else size
        for file, size in zip(missing, lying, strict=True)
    )
    total = _total(release, missing, known) if None in lying else here
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
        needed=max(0, total - here + _room_to_unpack(release, files, missing, known)),
        free=free_space(root),
        known=known,
        verify=verify,
    )


def unpack_rule(release: Release, file: RemoteFile) -> Unpack | None:
    """How a file is to be unpacked, or None if it is no archive."""
    return next((rule for rule in release.unpack if fnmatch(file.path, rule.name)), None)


def free_space(folder: Path) -> int:
    """Bytes free where a folder is or would be."""
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    return shutil.disk_usage(existing).free


def explain_access(cohort_id: str, release: Release, root: Path) -> UsageError:
    """Tell what to sign, where, and what to do then."""
    url = addresses_of(release).files[0]
    again = f"'leadboard download {cohort_id}'"
    return UsageError(
        f"{cohort_id} ({release.licence}, about {release.size:,} bytes) is not open to everybody: sign "
        f"{release.agreement} at {release.page}, then set PHYSIONET_USER and PHYSIONET_PASSWORD (or an entry "
        f"for {urlsplit(url).hostname} in the netrc file) and run {again}; if the account is refused all "
        f"the same, fetch it with 'wget -r -N -c -np -nH --cut-dirs=3 --user YOUR_NAME --ask-password "
        f"-P {root} {url}' and run {again} to verify it."
    )


def _files(
    cohort_id: str, release: Release, addresses: Addresses, root: Path, saved: Path
) -> list[RemoteFile]:
    """List the release as it was listed before, or as the publisher lists it now."""
    head = "# " + release.model_dump_json(include={"source", "sums"}) + "\n"
    with disk_errors(saved):
        if saved.is_file():
            with saved.open(encoding="utf-8", errors="replace") as lines, suppress(ValueError):
                if next(lines, "") == head:
                    return read_lines(lines)
        files = _ask(cohort_id, release, addresses, root)
        saved.parent.mkdir(parents=True, exist_ok=True)
        draft = beside(saved, PART)
        with draft.open("w", encoding="utf-8") as file:
            file.write(head)
            file.writelines(write_lines(files))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(saved)
    return files


def _ask(cohort_id: str, release: Release, addresses: Addresses, root: Path) -> list[RemoteFile]:
    web = Web(loopback=addresses.loopback, login_to=addresses.login_to)
    try:
        if not addresses.login_to or has_login(addresses.lists[0]):
            return list_files(release, addresses, web)
    except DeniedError as error:
        if not addresses.login_to:
            raise LeadboardError(f"{error}; see {release.page}.") from None
    finally:
        web.close()
    # Whoever has fetched it by other means has the publisher's list too.
    own = root / SUMS
    if isinstance(release.source, PhysioNet) and own.is_file():
        with own.open("rb") as file:
            try:
                return without_conflicts(parse_sums(file, release.source), release.sums)
            except LeadboardError as error:
                raise LeadboardError(f"{error}: {own} cannot be used; delete it.") from None
    raise explain_access(cohort_id, release, root)


def _lying(root: Path, file: RemoteFile, known: Known) -> int | None:
    """Size of what is on the disk of a file, or of its members; None if it is not there as a whole."""
    if file.path in known.unpacked:
        return sum(member.size for member in known.unpacked[file.path])
    return size_of(root / file.path)


def _total(release: Release, missing: Sequence[RemoteFile], known: Known) -> int:
    """Bytes of the missing files; what is left of the release's size where the list has no sizes."""
    if any(file.size is None for file in missing):
        return max(0, release.size - sum(known.verified.values()))
    whole = [file for file in missing if file.path not in known.unpacked]
    members = sum(member.size for file in missing for member in known.unpacked.get(file.path, ()))
    return sum(file.size or 0 for file in whole) + members


def _room_to_unpack(
    release: Release, files: Sequence[RemoteFile], missing: Sequence[RemoteFile], known: Known
) -> int:
    """Count what unpacking takes beyond the archives; each is removed when it is unpacked."""
    archives = [file.size or 0 for file in files if unpack_rule(release, file)]
    to_unpack = sorted(
        file.size or 0 for file in missing if unpack_rule(release, file) and file.path not in known.unpacked
    )
    if not to_unpack:
        return 0
    unpacked = release.size * sum(to_unpack) // max(1, sum(archives))
    in_flight = sum(to_unpack[-CONNECTIONS:])
    return unpacked + in_flight - sum(to_unpack)
