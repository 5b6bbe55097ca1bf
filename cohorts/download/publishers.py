"""Where a release is asked for, and what its publisher says it consists of."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cohorts.catalogue import find_cohort
from cohorts.cohort import CohortCard
from cohorts.download import listing
from cohorts.download.disk import FileError, Meter
from cohorts.download.fetching import fetch
from cohorts.download.listing import RemoteFile, without_conflicts
from cohorts.download.web import Addresses, DeniedError, Web, check_mirror, trust
from cohorts.errors import LeadboardError, UsageError
from cohorts.release import Release, publisher_of

SUMS = "SHA256SUMS.txt"

_LONGEST = 1 << 28  # bytes of a list; that of 1.6 million files has 180 MB


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
    publisher = publisher_of(cohort.card.url)
    if cohort.release is None or publisher is None:
        raise UsageError(
            f"{cohort_id} cannot be fetched from here: see {cohort.card.url} for how to get it, and put it "
            f"into the folder {cohort.card.folder} below the one that --data names."
        )
    return Publication(cohort.card, cohort.release, *publisher)


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
        return Addresses((base,), (base,), loopback=trust(base) == "http")
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


def list_files(publication: Publication, addresses: Addresses) -> list[RemoteFile]:
    """Ask the publisher what the release consists of; DeniedError if it wants an account first."""
    try:
        with tempfile.TemporaryDirectory() as folder, Web(addresses) as web:

            def ask(location: str) -> Path:
                path, urls = Path(folder, "list"), [base + location for base in addresses.lists]
                fetch(RemoteFile(path.name, "", location), path, urls, web, _LONGEST, Meter())
                return path

            return without_conflicts(_listed(publication, ask), publication.release.sums)
    except DeniedError:
        raise
    except (FileError, LeadboardError) as error:
        see = f"see {publication.card.url}, try again later or give a --mirror"
        raise LeadboardError(f"The list of files cannot be had: {error}; {see}.") from None


def read_sums(path: Path, release: Release) -> Iterator[RemoteFile]:
    """Read the part of a ``SHA256SUMS.txt`` that is wanted; bytes that are no UTF-8 are refused with it."""
    with path.open(encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
        yield from listing.parse_sha256sums(lines, release.wanted)


def _listed(publication: Publication, ask: Callable[[str], Path]) -> Iterator[RemoteFile]:
    publisher, record = publication.publisher, publication.record
    if publisher == "physionet":
        yield from read_sums(ask(SUMS), publication.release)
    elif publisher == "zenodo":
        yield from listing.parse_zenodo(ask(f"api/records/{record}").read_bytes(), int(record))
    else:
        articles = [int(record)]
        if publisher == "figshare collection":
            answer = ask(f"v2/collections/{record}/articles?page_size=100").read_bytes()
            articles = listing.parse_figshare_collection(answer)
        for article in articles:
            yield from listing.parse_figshare(ask(f"v2/articles/{article}").read_bytes())
