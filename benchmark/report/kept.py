"""Which files of a report are kept, so that the page offers no link to one that is not there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from cohorts.errors import UnknownNameError

FOLDERS = ("figures", "mistakes")


@dataclass(frozen=True, slots=True)
class Kept:
    """Files that are written; all of a report if none is named.

    Attributes
    ----------
    names
        Of files, or of the folders ``figures`` and ``mistakes`` for all that is in them.
    """

    names: tuple[str, ...] = ()

    def __contains__(self, name: object) -> bool:
        """Whether a file, named by its path in the report, or a folder is kept."""
        return not self.names or name in self.names or str(name).partition("/")[0] in self.names

    @property
    def key(self) -> str:
        """Tells one choice from another; empty for all."""
        return ",".join(self.names)

    def check(self, files: Collection[str]) -> None:
        """Compare what is named with the files of a report.

        Raises
        ------
        UnknownNameError
            If there is no such file or folder.
        """
        for name in self.names:
            if name not in (*files, *FOLDERS):
                raise UnknownNameError("file of a report", name, (*files, *FOLDERS))


EVERY_FILE = Kept()
