"""How a release is published: what a download has to know beyond the card of its cohort."""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict, Field

_FACTS = ConfigDict(extra="forbid", frozen=True)
_PAGES = {
    "physionet": r"https://physionet\.org/content/([a-z0-9-]+/[0-9.]+)/",
    "zenodo": r"https://zenodo\.org/records/(\d+)",
    "figshare": r"https://doi\.org/10\.6084/m9\.figshare\.(\d+)(?:\.v\d+)?",
    "figshare collection": r"https://doi\.org/10\.6084/m9\.figshare\.c\.(\d+)(?:\.v\d+)?",
}


class Unpack(BaseModel):
    """What to do with an archive of a release.

    Attributes
    ----------
    name
        Pattern of the archive's name; a ``.tar.gz`` may be an uncompressed tar.
    into
        Folder that the members go to, below the release's own.
    strip
        Leading folder of the members that is left out, where it is there.
    """

    model_config = _FACTS

    name: str
    into: str = ""
    strip: str = ""


class Release(BaseModel):
    """The facts that a download needs and that the cohort's card does not hold.

    Licence, access, version and folder stand on the card, and so does the publisher: the card's ``url``
    is the page of a PhysioNet project, of a Zenodo record, or the DOI of a figshare article or collection.
    Sums are written down only where they are known; the publisher's list is asked for the others.

    Attributes
    ----------
    size
        Bytes on disk, about. Where the publisher states none, it is that of the signals by the release's
        own numbers, which headers and annotations exceed by about one in a hundred.
    subfolder
        Which folder of a larger release the cohort is; the card's ``folder`` ends with it. Empty where it
        is the whole.
    beside
        What else of a larger release is wanted: files, and folders with a ``/`` at the end.
    open_data
        Whether PhysioNet's own bucket on AWS Open Data holds it too, which answers faster.
    agreement
        What to sign, for a credentialed release.
    unpack
        Its archives; they are removed once they are unpacked.
    sums
        Sums known beforehand (``"md5:..."``), by file name: a list that says otherwise is refused.
    afterwards
        What is left to do by hand, if anything.
    """

    model_config = _FACTS

    size: int = Field(gt=0)
    subfolder: str = ""
    beside: tuple[str, ...] = ()
    open_data: bool = False
    agreement: str = ""
    unpack: tuple[Unpack, ...] = ()
    sums: dict[str, str] = {}
    afterwards: str = ""

    @property
    def wanted(self) -> tuple[str, ...]:
        """Folders (with a ``/`` at the end) and files to fetch; everything if there are none."""
        return (f"{self.subfolder}/", *self.beside) if self.subfolder else ()


def publisher_of(url: str) -> tuple[str, str] | None:
    """Tell who publishes a release and under which record there, by its page.

    Returns
    -------
    tuple of str, or None
        ``"physionet"``, ``"zenodo"``, ``"figshare"`` or ``"figshare collection"``, and ``project/version`` or
        a number; None for any other page.
    """
    for publisher, page in _PAGES.items():
        if match := re.fullmatch(page, url):
            return publisher, match[1]
    return None
