"""What a release consists of, as its publisher lists it: paths, sums, sizes.

A list is not trusted with the disk: a path that leaves the release's folder, or a line that is no
line of such a list, makes the whole list unusable.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from cohorts.errors import LeadboardError

PART = ".part"
WRONG = ".wrong-sum"
ASIDE = ".set-aside"
"""Ends of names: of what is not complete, was fetched wrong, or lay there and is wrong."""

_LINE = re.compile(r"([0-9a-fA-F]{64})[ \t]+\*?(.+)")  # PhysioNet writes one blank, sha256sum two
_DIGITS = {"md5": 32, "sha256": 64}


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file of a release.

    Attributes
    ----------
    path
        Below the release's folder, with ``/``.
    sum
        ``"sha256:..."`` or ``"md5:..."``, in lower case.
    location
        Below the publisher's address.
    size
        In bytes, None where the list does not say.
    """

    path: str
    sum: str
    location: str
    size: int | None = None


def safe_path(text: str) -> str:
    """Give a path as it was listed, if it stays in its folder on every system and is no name of ours.

    Raises
    ------
    LeadboardError
        If it does not.
    """
    parts = text.split("/")
    wrong = (
        not text.isprintable()
        or "\\" in text
        or any(part.strip() in ("", ".", "..") or part != part.strip() for part in parts)
        or any(len(part.encode("utf-8", "replace")) > 240 for part in parts)
        or re.match(r"[A-Za-z]:", text)
        or text.endswith((PART, WRONG, ASIDE))
    )
    if wrong:
        raise LeadboardError(f"The path {text[:200]!a} leaves the release's folder or is no usable name")
    return text


def parse_sha256sums(lines: Iterable[str], wanted: tuple[str, ...] = ()) -> Iterator[RemoteFile]:
    """Read the lines of a ``SHA256SUMS.txt``, and yield the files that are wanted.

    Parameters
    ----------
    lines
        ``<64 hexadecimal digits>  <path>``; empty lines are passed over.
    wanted
        Folders (with a ``/`` at the end) and files. Everything if empty.

    Raises
    ------
    LeadboardError
        If any line, wanted or not, is something else or names an unusable path.
    """
    for number, line in enumerate(lines, start=1):
        text = line.rstrip("\r\n").removeprefix("\ufeff" if number == 1 else "")
        if not text.strip():
            continue
        match = _LINE.fullmatch(text)
        if match is None:
            raise LeadboardError(f"Line {number} of the list of sums is {text[:80]!a}, no sum and path")
        digest, path = match[1].lower(), match[2].removeprefix("./")
        try:
            safe_path(path)
        except LeadboardError as error:
            raise LeadboardError(f"{error} (line {number} of the list of sums)") from None
        if not wanted or any(path.startswith(part) if part[-1] == "/" else path == part for part in wanted):
            yield RemoteFile(path, f"sha256:{digest}", path)


def parse_zenodo(text: str, record: int) -> list[RemoteFile]:
    """Read Zenodo's answer to ``api/records/<record>``.

    Raises
    ------
    LeadboardError
        If it is not such an answer.
    """
    files = _entries(text)
    return [
        RemoteFile(
            _name(entry.get("key")),
            _sum(entry.get("checksum"), entry.get("key")),
            f"records/{record}/files/{entry['key']}",
            _size(entry.get("size"), entry["key"]),
        )
        for entry in files
    ]


def parse_figshare(text: str) -> list[RemoteFile]:
    """Read figshare's answer to ``v2/articles/<article>``.

    Raises
    ------
    LeadboardError
        If it is not such an answer.
    """
    found = []
    for entry in _entries(text):
        if not isinstance(entry.get("id"), int):
            raise LeadboardError("The publisher's list has a file without an id")
        md5 = entry.get("computed_md5") or entry.get("supplied_md5")
        name = _name(entry.get("name"))
        found.append(
            RemoteFile(name, _sum(f"md5:{md5}", name), f"files/{entry['id']}", _size(entry.get("size"), name))
        )
    return found


def parse_figshare_collection(text: str) -> list[int]:
    """Read figshare's answer to ``v2/collections/<collection>/articles``: the articles' ids.

    Raises
    ------
    LeadboardError
        If it is not such an answer.
    """
    articles = _json(text)
    entries = [entry for entry in articles if isinstance(entry, dict)] if isinstance(articles, list) else []
    ids = [entry["id"] for entry in entries if isinstance(entry.get("id"), int)]
    if not ids or len(ids) != len(articles):
        raise LeadboardError("The publisher's answer is no list of articles")
    return ids


def without_conflicts(files: Iterable[RemoteFile], sums: dict[str, str]) -> list[RemoteFile]:
    """Give the files sorted by path, each once.

    Raises
    ------
    LeadboardError
        If a path has two sums, is a file and a folder, or has another sum than the one known beforehand.
    """
    unique: dict[str, RemoteFile] = {}
    for file in files:
        if unique.setdefault(file.path, file).sum != file.sum:
            raise LeadboardError(f"The publisher's list has two sums for {file.path}")
    folders: set[str] = set()
    for path in unique:
        while (path := path.rpartition("/")[0]) and path not in folders:
            folders.add(path)
    for path, file in unique.items():
        if path in folders:
            raise LeadboardError(f"The publisher's list has {path} as a file and as a folder")
        if sums.get(path, file.sum) != file.sum:
            raise LeadboardError(f"The publisher's list has {file.sum} for {path}, known is {sums[path]}")
    if not unique:
        raise LeadboardError("The publisher's list names no file of this release")
    return [unique[path] for path in sorted(unique)]


def write_lines(files: Iterable[RemoteFile]) -> Iterator[str]:
    """Turn files into lines of our own, which `read_lines` reads."""
    for file in files:
        size = "" if file.size is None else str(file.size)
        yield f"{file.sum}\t{size}\t{file.location}\t{file.path}\n"


def read_lines(lines: Iterable[str]) -> list[RemoteFile]:
    """Read what `write_lines` wrote; ValueError for anything else."""
    found = []
    for line in lines:
        digest, size, location, path = line.rstrip("\n").split("\t")
        same = path if location == path else location
        found.append(RemoteFile(path, digest, same, int(size) if size else None))
    return found


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise LeadboardError(f"The publisher's answer is no JSON but {text[:80]!a}") from None


def _entries(text: str) -> list[dict[str, Any]]:
    answer = _json(text)
    files = answer.get("files") if isinstance(answer, dict) else None
    if not isinstance(files, list) or not all(isinstance(entry, dict) for entry in files):
        raise LeadboardError("The publisher's answer lists no files")
    return files


def _name(value: object) -> str:
    if not isinstance(value, str) or "/" in value:
        raise LeadboardError(f"The publisher's list has a file with the name {ascii(value)[:80]}")
    return safe_path(value)


def _sum(value: object, name: object) -> str:
    kind, _, digest = value.lower().partition(":") if isinstance(value, str) else ("", "", "")
    if re.fullmatch("[0-9a-f]+", digest) is None or len(digest) != _DIGITS.get(kind):
        raise LeadboardError(f"The publisher's list has no md5 or sha256 for {ascii(name)[:80]}")
    return f"{kind}:{digest}"


def _size(value: object, name: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise LeadboardError(f"The publisher's list has no size for {ascii(name)[:80]}")
    return value
