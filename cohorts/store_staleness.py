"""Whether a store is still what `prepare` would write: the release's files and the code that reads them."""

from __future__ import annotations

import functools
import hashlib
import inspect
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cohorts.cohort import Cohort
from cohorts.errors import UsageError, some
from cohorts.hashing import ROOT, code_hash, hash_of_files, imported_files
from cohorts.release_files import ReleaseFiles

READING_ROOMS = (
    "cohorts/formats",
    "cohorts/cohort.py",
    "cohorts/index.py",
    "cohorts/preparing.py",
    "cohorts/recording.py",
    "cohorts/release_files.py",
    "cohorts/store.py",
    "cohorts/store_file.py",
    "cohorts/store_writing.py",
)
"""The code that decides what any store holds; a cohort's own files and their families come with it."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a store is compared with.

    Attributes
    ----------
    digest
        Hash of what a change of the release, or of the code that reads it, would change.
    warnings
        What is odd about the release's links, one sentence each.
    """

    digest: str
    warnings: tuple[str, ...]


def stamp_of(cohort: Cohort) -> Stamp:
    """Look at names, sizes and times of a release's files, behind links too; no file is read.

    Raises
    ------
    UsageError
        If a part of the release is not there.
    """
    odd: dict[str, str | None] = {}
    try:
        decides = (reading_code(type(cohort)), cohort.variant, cohort.card.simulated, cohort.states())
        digest = hashlib.sha256(" ".join(map(str, decides)).encode())
        for source in cohort.source_paths():
            for line in _listing(source, odd):
                digest.update(os.fsencode(line))
    except OSError as error:
        raise UsageError(
            f"{error.filename} cannot be read ({error.strerror}); is {cohort.root} complete?"
        ) from None
    return Stamp(digest.hexdigest(), tuple(_warnings(odd)))


def _listing(source: Path, odd: dict[str, str | None]) -> Iterator[str]:
    """Yield name, size and modification time of a file or of all files below a folder, and what is odd."""
    if not source.is_dir():
        status = source.stat()
        yield f"{source.name} {status.st_size} {status.st_mtime_ns}\n"
        return
    files = ReleaseFiles(source)
    for name, entry in files:
        status = entry.stat(follow_symlinks=name not in files.odd)
        yield f"{source.name}/{name} {status.st_size} {status.st_mtime_ns}\n"
    for name, first in files.odd.items():
        place = None if first is None else f"{source.name}/{first}".rstrip("/")
        odd[f"{source.name}/{name}"] = place
        yield f"{source.name}/{name} is {place}\n"


def _warnings(odd: Mapping[str, str | None]) -> Iterator[str]:
    """Say which links were not followed."""
    nowhere = [name for name, first in odd.items() if first is None]
    again = [f"{name} (as {first})" for name, first in odd.items() if first is not None]
    if nowhere:
        yield f"Links that lead nowhere, so that recordings may be missing: {some(nowhere)}."
    if again:
        yield f"Links to folders that were looked through already, and not a second time: {some(again)}."


@functools.cache
def reading_code(cohort: type[Cohort], root: Path = ROOT) -> str:
    """Hash the code that reads a cohort; that of other cohorts is not in it.

    Its own files are those of its class and of the classes of cohorts that it inherits from, wherever they
    are installed. Families, and the room of hospitals' own cohorts, are followed by their imports. Of a
    package that is not this one all code counts.

    Parameters
    ----------
    root
        The folder in which the package is looked at; a copy of the project may be given.
    """
    kinds = [kind for kind in cohort.__mro__ if issubclass(kind, Cohort) and kind is not Cohort]
    files = [_in(root, Path(inspect.getfile(kind)).resolve()) for kind in kinds]
    families = {
        path
        for file in files
        for package in ("cohorts.families", "cohorts.own")
        for path in imported_files(file, package, root)
    }
    inside = {path for path in (*files, *families) if path.is_relative_to(root)}
    outside = dict.fromkeys(_package(path) for path in files if path not in inside)
    strangers = [
        hash_of_files(place.rglob("*.py") if place.is_dir() else [place], place.parent) for place in outside
    ]
    return " ".join((code_hash(*READING_ROOMS, root=root), hash_of_files(inside, root), *strangers))


def _package(file: Path) -> Path:
    """Give the folder of the outermost package that a file belongs to; the file itself if to none."""
    place = file
    while (place.parent / "__init__.py").is_file():
        place = place.parent
    return place


def _in(root: Path, file: Path) -> Path:
    """Give the place below ``root`` of a file of this package; any other stays where it is."""
    return root / file.relative_to(ROOT) if file.is_relative_to(ROOT / "cohorts") else file
