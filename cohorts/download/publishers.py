"""Where a release is asked for, and what its publisher says it consists of."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
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

_LONGEST_SUMS, _LONGEST_ANSWER = 1 << 30, 1 << 26


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
    """Look up how a cohort is published; UsageError if it cannot be fetched, or there is none of that name."""
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
    return (
        Addresses((own, bucket), (bucket, own))
        if publication.release.open_data
        else Addresses((own,), (own,))
    )


def list_files(publication: Publication, addresses: Addresses) -> list[RemoteFile]:
    """Ask the publisher what the release consists of; DeniedError if it wants an account first."""
    record, release = publication.record, publication.release
    try:
        with tempfile.TemporaryDirectory() as folder, Web(addresses) as web:
            ask = partial(_ask, addresses, web, Path(folder, "list"))
            if publication.publisher == "physionet":
                with ask(SUMS, _LONGEST_SUMS).open("rb") as lines:
                    return parse_sums(lines, release)
            if publication.publisher == "zenodo":
                found = listing.parse_zenodo(ask(f"api/records/{record}").read_bytes(), int(record))
                return without_conflicts(found, release.sums)
            articles = [int(record)]
            if publication.publisher == "figshare collection":
                answer = ask(f"v2/collections/{record}/articles?page_size=100").read_bytes()
                articles = listing.parse_figshare_collection(answer)
            answers = (ask(f"v2/articles/{article}").read_bytes() for article in articles)
            found = [file for answer in answers for file in listing.parse_figshare(answer)]
            return without_conflicts(found, release.sums)
    except LeadboardError as error:
        see = f"see {publication.card.url}, try again later or give a --mirror"
        raise LeadboardError(f"{error}; {see}.") from None


def parse_sums(lines: Iterable[bytes], release: Release) -> list[RemoteFile]:
    """Read the part of a ``SHA256SUMS.txt`` that is wanted; bytes that are no UTF-8 are refused with it."""
    text = (line.decode("utf-8", "surrogateescape") for line in lines)
    return without_conflicts(listing.parse_sha256sums(text, release.wanted), release.sums)


def _ask(addresses: Addresses, web: Web, path: Path, location: str, most: int = _LONGEST_ANSWER) -> Path:
    """Fetch a list from the first address that has it."""
    urls = [base + location for base in addresses.lists]
    try:
        fetch(RemoteFile("list", "", location), path, urls, web, most, Meter())
    except DeniedError:
        raise
    except FileError as error:
        raise LeadboardError(f"The list of files cannot be had: {error}") from None
    return path
