"""Where a release is asked for, and what its publisher says it consists of.

A list is not trusted with the disk: a path that leaves the release's folder, or a line that is no
line of such a list, makes the whole list unusable.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from pydantic import AliasChoices, BaseModel, Field, TypeAdapter, ValidationError

from cohorts.catalogue import find_cohort
from cohorts.cohort import Cohort, CohortCard
from cohorts.download.disk import FileError, Meter, RemoteFile, Size, file_and_folder, is_safe, known_sum
from cohorts.download.transfer import Addresses, DeniedError, Transfer, Web, account, trusted
from cohorts.errors import LeadboardError, UsageError
from cohorts.release import Release

T = TypeVar("T")

SUMS = "SHA256SUMS.txt"

_LINE = re.compile(r"([0-9a-fA-F]{64})[ \t]+\*?(.+)")  # PhysioNet writes one blank, sha256sum two
_LONGEST = 1 << 28  # bytes of a list; that of 1.6 million files has 180 MB
_PAGES = {
    "physionet": r"https://physionet\.org/content/([a-z0-9-]+/[0-9.]+)/",
    "zenodo": r"https://zenodo\.org/records/(\d+)",
    "figshare": r"https://doi\.org/10\.6084/m9\.figshare\.(\d+)(?:\.v\d+)?",
    "figshare collection": r"https://doi\.org/10\.6084/m9\.figshare\.c\.(\d+)(?:\.v\d+)?",
}


@dataclass(frozen=True, slots=True)
class Publication:
    """A release, which publisher has it, and its ``project/version`` or number there."""

    card: CohortCard
    release: Release
    publisher: str
    record: str

    def folder(self, data_root: Path) -> Path:
        """Where the release lies; a cohort that is only a part of it lies in there."""
        return data_root / self.card.folder.removesuffix(self.release.subfolder)


def publication_of(cohort_id: str) -> Publication:
    """Look up how a cohort is published; UsageError if it cannot be fetched, or there is no such one."""
    cohort = find_cohort(cohort_id)
    found = publication_by(cohort)
    if found is not None:
        return found
    raise UsageError(
        f"{cohort_id} cannot be fetched from here: see {cohort.card.url} for how to get it, and put it "
        f"into the folder {cohort.card.folder} below the one that --data names."
    )


def publication_by(cohort: type[Cohort]) -> Publication | None:
    """Say how a cohort is published, by its class; None if it cannot be fetched."""
    for publisher, page in _PAGES.items():
        if cohort.release is not None and (match := re.fullmatch(page, cohort.card.url)):
            return Publication(cohort.card, cohort.release, publisher, match[1])
    return None


def addresses_of(publication: Publication, mirror: str | None = None) -> Addresses:
    """Give the publisher's addresses, or a mirror's in place of them (UsageError if that may not be used).

    A mirror has the same paths as the publisher's host: ``<mirror>/ptb-xl/1.0.3/SHA256SUMS.txt`` (as
    below physionet.org/files/), ``<mirror>/api/records/4916206`` and
    ``<mirror>/records/4916206/files/exams.csv`` (as zenodo.org), ``<mirror>/v2/articles/27078763`` and
    ``<mirror>/files/53512538`` (as figshare's two).
    """
    below = f"{publication.record}/" if publication.publisher == "physionet" else ""
    if mirror:
        base = check_mirror(mirror) + below
        return Addresses((base,), (base,), loopback=not trusted(base, loopback=False))
    if publication.publisher == "zenodo":
        return Addresses(("https://zenodo.org/",), ("https://zenodo.org/",))
    if publication.publisher != "physionet":
        return Addresses(("https://api.figshare.com/",), ("https://ndownloader.figshare.com/",))
    own, bucket = f"https://physionet.org/files/{below}", f"https://physionet-open.s3.amazonaws.com/{below}"
    if publication.card.access == "credentialed":
        return Addresses((own,), (own,), login_to="physionet.org")
    # The sums come from the publisher's own host; the many small files from where they are fast.
    bases = (own, bucket) if publication.release.open_data else (own,)
    return Addresses(bases, bases[::-1])


def check_mirror(url: str) -> str:
    """Give a mirror's address with a ``/`` at its end; UsageError for a bad one, or with a password in it."""
    if "@" in url.partition("//")[2].partition("/")[0]:
        raise UsageError("The mirror's address holds a user name; give it without one.")
    if not trusted(url, loopback=True):
        raise UsageError(f"The mirror '{url}' is no https:// address; give one, such as https://host/path/.")
    return url.rstrip("/") + "/"


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


def list_files(publication: Publication, addresses: Addresses, root: Path) -> list[RemoteFile]:
    """Ask the publisher what the release consists of, or its list in ``root`` where it wants an account."""
    release = publication.release
    if not addresses.login_to or account(addresses.lists[0]):
        try:
            with tempfile.TemporaryDirectory() as folder, Web(addresses) as web:

                def ask(location: str) -> Path:
                    path, urls = Path(folder, "list"), [base + location for base in addresses.lists]
                    Transfer(RemoteFile("", "", location), path, web, _LONGEST, Meter()).fetch(urls)
                    return path

                return without_conflicts(_listed(publication, ask), release.sums)
        except (FileError, LeadboardError) as error:
            if not (addresses.login_to and isinstance(error, DeniedError)):
                see = f"see {publication.card.url}, try again later or give a --mirror"
                raise LeadboardError(f"The list of files cannot be had: {error}; {see}.") from None
    own = root / SUMS  # whoever has fetched it by other means has the publisher's list too
    if not own.is_file():
        raise explain_access(publication, root)
    try:
        return without_conflicts(_read_sums(own, release), release.sums)
    except LeadboardError as error:
        raise LeadboardError(f"{error}: {own} cannot be used; delete it.") from None


def _listed(publication: Publication, ask: Callable[[str], Path]) -> Iterator[RemoteFile]:
    record = publication.record
    match publication.publisher:
        case "physionet":
            yield from _read_sums(ask(SUMS), publication.release)
        case "zenodo":
            yield from parse_zenodo(ask(f"api/records/{record}").read_bytes(), record)
        case "figshare":
            yield from parse_figshare(ask(f"v2/articles/{record}").read_bytes())
        case _:
            answer = ask(f"v2/collections/{record}/articles?page_size=100").read_bytes()
            for article in parse_figshare_collection(answer):
                yield from parse_figshare(ask(f"v2/articles/{article}").read_bytes())


def _read_sums(path: Path, release: Release) -> Iterator[RemoteFile]:
    # Bytes that are no UTF-8 are refused with their line.
    with path.open(encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
        yield from parse_sha256sums(lines, release.wanted)


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
        path = match[2].removeprefix("./") if match else ""
        if match is None or not is_safe(path):
            wrong = f"has {text[:200]!a} where a sum and a path in its folder should be"
            raise LeadboardError(f"The publisher's list {wrong} (line {number} of the list)")
        if not wanted or any(path.startswith(part) if part[-1] == "/" else path == part for part in wanted):
            yield RemoteFile(path, f"sha256:{match[1].lower()}", path)


class _Entry(BaseModel, strict=True):
    """A file as Zenodo (key, checksum) and figshare (id, name, md5) describe it."""

    id: int | str = ""
    name: str = Field(validation_alias=AliasChoices("key", "name"))
    size: Size
    checksum: str | None = None
    computed_md5: str | None = None
    supplied_md5: str | None = None

    def at(self, location: str) -> RemoteFile:
        """Give it with where it lies below the publisher's address."""
        if "/" in self.name or not is_safe(self.name):
            raise LeadboardError(f"The publisher's list has a file with the name {self.name[:80]!a}")
        digest = self.checksum or f"md5:{self.computed_md5 or self.supplied_md5}"
        return RemoteFile(self.name, known_sum(digest), location, self.size)


class _Answer(BaseModel):
    """A Zenodo record or a figshare article."""

    files: list[_Entry]


class _Article(BaseModel, strict=True):
    """An article that a figshare collection mentions."""

    id: int


def parse_zenodo(text: str | bytes, record: str) -> list[RemoteFile]:
    """Read Zenodo's answer to ``api/records/<record>``; LeadboardError if it is not such an answer."""
    return [entry.at(f"records/{record}/files/{entry.name}") for entry in _parse(_Answer, text).files]


def parse_figshare(text: str | bytes) -> list[RemoteFile]:
    """Read figshare's answer to ``v2/articles/<article>``; LeadboardError if it is not such an answer."""
    return [entry.at(f"files/{entry.id}") for entry in _parse(_Answer, text).files]


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
