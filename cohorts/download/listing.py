"""Lists of files, as publishers write them: paths, sums, sizes.

A list is not trusted with the disk: a path that leaves the release's folder, or a line that is no
line of such a list, makes the whole list unusable.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, NamedTuple, TypeVar

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from cohorts.download.disk import ASIDE, PART, WRONG
from cohorts.errors import LeadboardError

T = TypeVar("T")

_LINE = re.compile(r"([0-9a-fA-F]{64})[ \t]+\*?(.+)")  # PhysioNet writes one blank, sha256sum two
_SUM = re.compile(r"md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}")


def safe_path(text: str) -> str:
    """Give a path as it was listed; LeadboardError unless it stays in its folder on every system."""
    wrong = (
        not text.isprintable()
        or "\\" in text
        or any(part.strip() in ("", ".", "..") or part != part.strip() for part in text.split("/"))
        or any(len(part.encode("utf-8", "replace")) > 240 for part in text.split("/"))
        or re.match(r"[A-Za-z]:", text)
        or text.endswith((PART, WRONG, ASIDE))  # names of ours
    )
    if wrong:
        raise LeadboardError(f"The path {text[:200]!a} leaves the release's folder or is no usable name")
    return text


def known_sum(text: str) -> str:
    """Give a sum in lower case; LeadboardError if it is neither md5 nor sha256."""
    if not _SUM.fullmatch(text.lower()):
        raise LeadboardError(f"The publisher's list has {text[:80]!a} where an md5 or sha256 sum should be")
    return text.lower()


Size = Annotated[int, Field(ge=0, lt=1 << 62)]


class RemoteFile(NamedTuple):
    """A file of a release: where it goes below the release's folder, and lies below the publisher's address.

    Its sum is ``"sha256:..."`` or ``"md5:..."``; its size is None where the list does not say.
    """

    path: str
    sum: Annotated[str, AfterValidator(known_sum)]
    location: str
    size: Size | None = None


_FILE = TypeAdapter(RemoteFile)


class _Entry(BaseModel):
    """A file as Zenodo (key, checksum) and figshare (id, name, md5) describe it."""

    model_config = ConfigDict(strict=True)

    id: int | str = ""
    name: str = Field(validation_alias=AliasChoices("key", "name"))
    size: Size
    checksum: str | None = None
    computed_md5: str | None = None
    supplied_md5: str | None = None

    def at(self, location: str) -> RemoteFile:
        """Give it with where it lies below the publisher's address."""
        if "/" in self.name:
            raise LeadboardError(f"The publisher's list has a file with the name {self.name[:80]!a}")
        digest = self.checksum or f"md5:{self.computed_md5 or self.supplied_md5}"
        return RemoteFile(safe_path(self.name), known_sum(digest), location, self.size)


class _Answer(BaseModel):
    """A Zenodo record or a figshare article."""

    files: list[_Entry]


class _Article(BaseModel):
    """An article that a figshare collection mentions."""

    model_config = ConfigDict(strict=True)

    id: int


def parse_sha256sums(lines: Iterable[str], wanted: tuple[str, ...] = ()) -> Iterator[RemoteFile]:
    """Read the lines of a ``SHA256SUMS.txt``, and yield the files that are wanted.

    A line is ``<64 hexadecimal digits>  <path>``; wanted are folders (with a ``/`` at the end) and files,
    everything if there are none. Any line, wanted or not, that is something else or names an unusable
    path is a LeadboardError.
    """
    for number, line in enumerate(lines, start=1):
        text = line.rstrip("\r\n").removeprefix("\ufeff" if number == 1 else "")
        if not text.strip():
            continue
        match = _LINE.fullmatch(text)
        if match is None:
            raise LeadboardError(f"Line {number} of the list of sums is {text[:80]!a}, no sum and path")
        try:
            path = safe_path(match[2].removeprefix("./"))
        except LeadboardError as error:
            raise LeadboardError(f"{error} (line {number} of the list of sums)") from None
        if not wanted or any(path.startswith(part) if part[-1] == "/" else path == part for part in wanted):
            yield RemoteFile(path, f"sha256:{match[1].lower()}", path)


def parse_zenodo(text: str | bytes, record: int) -> list[RemoteFile]:
    """Read Zenodo's answer to ``api/records/<record>``; LeadboardError if it is not such an answer."""
    return [entry.at(f"records/{record}/files/{entry.name}") for entry in _parse(_Answer, text).files]


def parse_figshare(text: str | bytes) -> list[RemoteFile]:
    """Read figshare's answer to ``v2/articles/<article>``; LeadboardError if it is not such an answer."""
    entries = _parse(_Answer, text).files
    if not all(entry.id for entry in entries):
        raise LeadboardError("The publisher's list has a file without an id")
    return [entry.at(f"files/{entry.id}") for entry in entries]


def parse_figshare_collection(text: str | bytes) -> list[int]:
    """Read the articles' ids in figshare's answer to ``v2/collections/<collection>/articles``."""
    articles = _parse(list[_Article], text)
    if not articles:
        raise LeadboardError("The publisher's answer names no article")
    return [article.id for article in articles]


def _parse(kind: type[T], text: str | bytes) -> T:
    try:
        return TypeAdapter(kind).validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise LeadboardError(f"The publisher's answer is unusable ({where} {first['msg']})") from None


def without_conflicts(files: Iterable[RemoteFile], sums: Mapping[str, str]) -> list[RemoteFile]:
    """Give the files sorted by path, each once.

    A LeadboardError if there is none, or a path has two sums, is a file and a folder, or has another sum than
    the one known beforehand.
    """
    unique: dict[str, RemoteFile] = {}
    for file in files:
        if unique.setdefault(file.path, file).sum != file.sum:
            raise LeadboardError(f"The publisher's list has two sums for {file.path}")
        if (known := sums.get(file.path, file.sum)) != file.sum:
            raise LeadboardError(f"The publisher's list has {file.sum} for {file.path}, known is {known}")
    if clash := file_and_folder(unique):
        raise LeadboardError(f"The publisher's list has {clash} as a file and as a folder")
    if not unique:
        raise LeadboardError("The publisher's list names no file of this release")
    return [unique[path] for path in sorted(unique)]


def file_and_folder(paths: Mapping[str, object]) -> str | None:
    """Find a path that is a file and, by another path, a folder."""
    folders: set[str] = set()
    for path in paths:
        while (path := path.rpartition("/")[0]) and path not in folders:
            folders.add(path)
    return next((path for path in paths if path in folders), None)


def write_lines(files: Iterable[RemoteFile]) -> Iterator[str]:
    """Turn files into lines of our own, which `read_lines` reads."""
    return (json.dumps(file) + "\n" for file in files)


def read_lines(lines: Iterable[str]) -> list[RemoteFile]:
    """Read what `write_lines` wrote; ValueError or LeadboardError for anything else."""
    return [_FILE.validate_json(line) for line in lines]
