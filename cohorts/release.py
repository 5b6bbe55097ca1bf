"""How a release is published: what a download has to know beyond the card of its cohort."""

from __future__ import annotations

from fnmatch import fnmatch

from pydantic import BaseModel, ConfigDict, Field

_FACTS = ConfigDict(extra="forbid", frozen=True)


class Unpack(BaseModel):
    """What to do with an archive of a release.

    Attributes
    ----------
    name
        Pattern of the archive's name; a ``.tar.gz`` may be an uncompressed tar.
    into, strip
        Folder below the release's own that the members go to; leading folder of theirs that is left out.
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
    subfolder, beside
        Which folder of a larger release the cohort is, as the card's ``folder`` ends, or empty; and what else
        of it is wanted: files, and folders with a ``/`` at the end.
    open_data
        Whether PhysioNet's own bucket on AWS Open Data holds it too, which answers faster.
    agreement, afterwards
        What to sign, for a credentialed release; what is left to do by hand after a download, if anything.
    unpack
        Its archives; they are removed once they are unpacked.
    sums
        Sums known beforehand (``"md5:..."``), by file name: a list that says otherwise is refused.
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

    def rule_for(self, path: str) -> Unpack | None:
        """Tell how a file is to be unpacked; None if it is no archive."""
        return next((rule for rule in self.unpack if fnmatch(path, rule.name)), None)
