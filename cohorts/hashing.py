"""Hashes of what decides a number: of facts, and of whole rooms of code."""

from __future__ import annotations

import ast
import functools
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from cohorts.errors import LeadboardError


def hash_of_json(content: object) -> str:
    """Hash facts by their JSON, whatever the order of their keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


ROOT = Path(__file__).resolve().parents[1]
"""The folder that ``cohorts``, ``benchmark`` and ``baselines`` lie in."""


@functools.cache
def code_hash(*rooms: str, root: Path = ROOT) -> str:
    """Hash every Python file of some rooms, with its path.

    Whole rooms, because a list of files forgets one: a change too many costs a run, a change missed costs a
    wrong number.

    Parameters
    ----------
    rooms
        Folders and files below ``root``, such as ``"benchmark/metrics"`` or ``"cohorts/recording.py"``.

    Raises
    ------
    LeadboardError
        If there is no such room: one that was renamed must not drop out of a key in silence.
    """
    return hash_of_files((path for room in rooms for path in _files(root / room)), root)


def hash_of_files(files: Iterable[Path], root: Path) -> str:
    """Hash files with their paths below ``root``, in the order of these paths."""
    digest = hashlib.sha256()
    for name, path in sorted({path.relative_to(root).as_posix(): path for path in files}.items()):
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _files(room: Path) -> list[Path]:
    if room.is_file():
        return [room]
    found = list(room.rglob("*.py"))
    if not found:
        raise LeadboardError(f"There is no code in {room}; the installation is damaged, install it again.")
    return found


def imported_files(file: Path, package: str, root: Path = ROOT) -> set[Path]:
    """Files of a package that a file imports, directly or through each other; the file itself included.

    Parameters
    ----------
    package
        Dotted, such as ``"cohorts.families"``; what is imported from elsewhere is left out.
    """
    found, to_read = {file}, [file]
    while to_read:
        for name in _imported(to_read.pop().read_bytes()):
            path = root.joinpath(*name.split(".")).with_suffix(".py")
            if name.startswith(f"{package}.") and path.is_file() and path not in found:
                found.add(path)
                to_read.append(path)
    return found


@functools.cache
def _imported(code: bytes) -> frozenset[str]:
    """Give what may be the dotted name of a module that is imported, in whatever way, but not relatively.

    Kept by the code itself, which several cohorts share: to parse it takes longer than to read and hash it.
    """
    names: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(names)
