"""Which files a release consists of, as Croissant lists them: with the publisher's own sums or none.

A copy on this machine may be a part of the release, so no sum is taken from it: the sums are those that the
release's facts hold, and those of the publisher's list where a download has left it.
"""

from __future__ import annotations

import mimetypes
import posixpath
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from cohorts.catalogue import find_cohort
from cohorts.download.disk import RemoteFile
from cohorts.download.publishers import SUMS, Publication, addresses_of, parse_sha256sums, publication_by
from cohorts.release import Release

MOST = 30
"""Files of one ending that are listed one by one; more are a set."""

_TYPES = {
    ".hea": "text/plain",
    ".csv": "text/csv",
    ".hdf5": "application/x-hdf5",
    ".h5": "application/x-hdf5",
    ".zip": "application/zip",
}
_ANY = "application/octet-stream"


def distribution(cohort: str, root: Path | None) -> list[dict[str, Any]]:
    """List the files of a public release.

    Parameters
    ----------
    root
        Where it, or a part of it, lies on this machine; None if it is not here.

    Returns
    -------
    list of dict
        A ``FileObject`` for each file whose sum is known, but a ``FileSet`` for those of an ending that very
        many have; and a set of everything where the publisher's list is not at hand.
    """
    publication = publication_by(find_cohort(cohort))
    if publication is None:
        return [_set("release", ["**/*"], _ANY, "All files of the release.")]
    listed, whole = _listed(publication, root)
    by_ending: dict[str, list[RemoteFile]] = {}
    for file in sorted(listed, key=lambda file: file.path):
        by_ending.setdefault(PurePosixPath(file.path).suffix, []).append(file)
    found = []
    for ending, files in by_ending.items():
        if len(files) <= MOST:
            found += [_object(file, publication) for file in files]
            continue
        below = posixpath.commonpath([posixpath.dirname(file.path) for file in files])
        pattern = posixpath.join(below, "**", f"*{ending}")
        said = f"{len(files):,} files of the release."
        found.append(_set(f"files{ending}", [pattern], _type(f"x{ending}"), said))
    return found if whole else [*found, *_unlisted(publication.release, listed)]


def _listed(publication: Publication, root: Path | None) -> tuple[list[RemoteFile], bool]:
    """Files whose sums are known, by their paths in the release, and whether these are all of them."""
    folders = [] if root is None else [root, *root.parents[:2]]  # a cohort may be a folder of its release
    for folder in folders if publication.publisher == "physionet" else ():
        if (folder / SUMS).is_file():
            with (folder / SUMS).open(encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
                return list(parse_sha256sums(lines, publication.release.wanted)), True
    sums = publication.release.sums
    return [RemoteFile(name, digest, name) for name, digest in sums.items()], False


def _unlisted(release: Release, listed: list[RemoteFile]) -> list[dict[str, Any]]:
    """Sets of what is known to be there without a sum: archives, or everything."""
    archives = [rule.name for rule in release.unpack if rule.name not in {file.path for file in listed}]
    sets = [
        _set(f"archive-{at}", [name], _type(name), "Archives of the release; their sums are not known here.")
        for at, name in enumerate(archives, start=1)
    ]
    return sets or [_set("release", ["**/*"], _ANY, "All files of the release; its list is not at hand.")]


def _object(file: RemoteFile, publication: Publication) -> dict[str, Any]:
    kind, _, digest = file.sum.partition(":")
    return {
        "@type": "cr:FileObject",
        "@id": file.path,
        "name": file.path,
        "contentUrl": _address(file, publication),
        "encodingFormat": _type(file.path),
        kind: digest,
    }


def _address(file: RemoteFile, publication: Publication) -> str:
    """Where the publisher gives a file; its page where addresses are numbers that are not known here."""
    base = addresses_of(publication).lists[0]
    if publication.publisher == "physionet":
        return base + quote(file.path)
    if publication.publisher == "zenodo":
        return f"{base}records/{publication.record}/files/{quote(file.path)}"
    return publication.card.url


def _set(name: str, includes: list[str], kind: str, description: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": name,
        "name": name,
        "description": description,
        "encodingFormat": kind,
        "includes": includes,
    }


def _type(name: str) -> str:
    suffix = PurePosixPath(name.rstrip("*")).suffix
    return _TYPES.get(suffix) or mimetypes.guess_type(f"x{suffix}")[0] or _ANY
