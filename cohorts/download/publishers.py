"""Where a release is asked for, and what its publisher says it consists of."""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from cohorts.download import transfer
from cohorts.download.listing import (
    RemoteFile,
    parse_figshare,
    parse_figshare_collection,
    parse_sha256sums,
    parse_zenodo,
    without_conflicts,
)
from cohorts.download.releases import Figshare, PhysioNet, Release, Zenodo
from cohorts.download.web import AddressError, DeniedError, PassingError, Web, check_mirror, is_loopback
from cohorts.errors import LeadboardError

PHYSIONET = "https://physionet.org/files/"
PHYSIONET_OPEN_DATA = "https://physionet-open.s3.amazonaws.com/"
ZENODO = "https://zenodo.org/"
FIGSHARE = "https://ndownloader.figshare.com/"
FIGSHARE_API = "https://api.figshare.com/"

SUMS = "SHA256SUMS.txt"

_LONGEST_SUMS = 1 << 30
_LONGEST_ANSWER = 1 << 26


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where to ask, in this order.

    Attributes
    ----------
    lists
        Addresses below which the list of files is found.
    files
        Addresses below which the files are found.
    loopback
        Whether they may be plain HTTP on this machine.
    login_to
        Host that is sent the user's account.
    """

    lists: tuple[str, ...]
    files: tuple[str, ...]
    loopback: bool = False
    login_to: str = ""


def addresses_of(release: Release, mirror: str | None = None) -> Addresses:
    """Give the publisher's addresses, or a mirror's in place of them.

    A mirror has the same paths as the publisher's host: ``<mirror>/ptb-xl/1.0.3/SHA256SUMS.txt`` (as
    below physionet.org/files/), ``<mirror>/api/records/4916206`` and
    ``<mirror>/records/4916206/files/exams.csv`` (as zenodo.org), ``<mirror>/v2/articles/27078763`` and
    ``<mirror>/files/53512538`` (as figshare's two).

    Raises
    ------
    UsageError
        If the mirror's address is not one that may be used.
    """
    below = f"{release.source.path}/" if isinstance(release.source, PhysioNet) else ""
    if mirror:
        base = check_mirror(mirror) + below
        return Addresses((base,), (base,), loopback=is_loopback(base))
    if isinstance(release.source, Zenodo):
        return Addresses((ZENODO,), (ZENODO,))
    if isinstance(release.source, Figshare):
        return Addresses((FIGSHARE_API,), (FIGSHARE,))
    own, bucket = PHYSIONET + below, PHYSIONET_OPEN_DATA + below
    if release.access == "credentialed":
        return Addresses((own,), (own,), login_to="physionet.org")
    if release.source.open_data:
        # The sums come from the publisher's own host; the many small files from where they are fast.
        return Addresses((own, bucket), (bucket, own))
    return Addresses((own,), (own,))


def list_files(release: Release, addresses: Addresses, web: Web) -> list[RemoteFile]:
    """Ask the publisher what the release consists of.

    Raises
    ------
    DeniedError
        If the publisher wants an account first.
    LeadboardError
        If the list cannot be had or is not one.
    """
    source = release.source
    try:
        if isinstance(source, PhysioNet):
            with tempfile.TemporaryFile() as file:
                _ask(addresses, SUMS, web, file, _LONGEST_SUMS)
                found = parse_sums(file, source)
                return without_conflicts(found, release.sums)
        if isinstance(source, Zenodo):
            answer = _text(addresses, f"api/records/{source.record}", web)
            return without_conflicts(parse_zenodo(answer, source.record), release.sums)
        articles = [source.article] if source.article else []
        if source.collection:
            answer = _text(addresses, f"v2/collections/{source.collection}/articles?page_size=100", web)
            articles = parse_figshare_collection(answer)
        answers = [_text(addresses, f"v2/articles/{article}", web) for article in articles]
        return without_conflicts((file for text in answers for file in parse_figshare(text)), release.sums)
    except LeadboardError as error:
        raise LeadboardError(f"{error}; see {release.page}, try again later or give a --mirror.") from None


def parse_sums(file: IO[bytes], source: PhysioNet) -> Iterator[RemoteFile]:
    """Read the part of a ``SHA256SUMS.txt`` that is wanted; bytes that are no UTF-8 are refused with it."""
    file.seek(0)
    lines = (line.decode("utf-8", "surrogateescape") for line in file)
    return parse_sha256sums(lines, source.parts)


def _text(addresses: Addresses, location: str, web: Web) -> str:
    file = io.BytesIO()
    _ask(addresses, location, web, file, _LONGEST_ANSWER)
    return file.getvalue().decode("utf-8", "replace")


def _ask(addresses: Addresses, location: str, web: Web, file: IO[bytes], most: int) -> None:
    """Fetch a list from the first address that has it."""
    failures: list[AddressError] = []
    for base in addresses.lists:
        for attempt in range(transfer.ATTEMPTS):
            file.seek(0)
            file.truncate()
            try:
                return web.save(base + location, file, most)
            except AddressError as error:
                failures.append(error)
                break
            except PassingError as error:
                failures.append(AddressError(str(error)))
                if attempt + 1 < transfer.ATTEMPTS:
                    time.sleep(error.wait or transfer.BACKOFF * 2**attempt)
    if isinstance(failures[0], DeniedError):
        raise failures[0]
    reasons = "; ".join(dict.fromkeys(map(str, failures)))
    raise LeadboardError(f"The list of files cannot be had: {reasons}")
