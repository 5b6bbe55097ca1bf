"""The files of a release as they lie on disk.

Releases are shared as farms of links, so a link is followed wherever it leads: whoever made it may read what
is there. (An archive that somebody else packed may hold no link at all, see `cohorts.download.unpacking`.)
Every folder is looked through once, however many links lead to it, so that a circle of links ends.

Names that begin with a dot and folders that a system keeps for itself are no part of any release.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path

_NAME = attrgetter("name")
FOREIGN = frozenset({"__MACOSX", "@eaDir", "~snapshot", "#snapshot", "lost+found", "$RECYCLE.BIN"})


def is_foreign(name: str) -> bool:
    """Whether a file or folder of this name is hidden, or kept by a system and not by a publisher."""
    return name[:1] == "." or name in FOREIGN


class ReleaseFiles:
    """What lies below a folder, found in the same order on every machine.

    Parameters
    ----------
    folder
        Where to look.

    Attributes
    ----------
    odd
        Links that were not followed, filled while the files are given: the name below the folder, and the
        name under which the same folder was looked through ("" for the whole), or None for a link that
        leads nowhere.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.odd: dict[str, str | None] = {}
        self._names: dict[tuple[int, int], str] = {}

    def __iter__(self) -> Iterator[tuple[str, os.DirEntry[str]]]:
        """Yield the name below the folder, with "/", and the entry of every file; links to folders come last.

        Raises
        ------
        OSError
            If the folder or one below it cannot be read.
        """
        links = deque([("", self.folder)])
        while links:
            folders = [links.popleft()]
            while folders:
                name, path = folders.pop()
                if not self._is_new(name, path):
                    continue
                inside: list[tuple[str, Path]] = []
                for entry in _entries(path):
                    inner = f"{name}/{entry.name}" if name else entry.name
                    link = entry.is_symlink()
                    if _is_folder(entry) if link else entry.is_dir():
                        (links if link else inside).append((inner, path / entry.name))
                        continue
                    if link and not _leads_somewhere(entry):
                        self.odd[inner] = None
                    yield inner, entry
                folders += reversed(inside)

    def _is_new(self, name: str, path: Path) -> bool:
        """Note a folder; False if it was looked through already, under another name."""
        status = path.stat()
        first = self._names.setdefault((status.st_dev, status.st_ino), name)
        if first != name:
            self.odd[name] = first
        return first == name


def _entries(path: Path) -> list[os.DirEntry[str]]:
    with os.scandir(path) as entries:
        return sorted(
            (entry for entry in entries if not is_foreign(entry.name)), key=lambda entry: entry.name
        )


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether a link leads to a folder."""
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _leads_somewhere(entry: os.DirEntry[str]) -> bool:
    try:
        entry.stat()
    except OSError:
        return False
    return True
