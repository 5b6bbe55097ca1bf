"""Where the recordings of an index lie: a template of column names, filled in for all rows at once."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pandas as pd

from cohorts.index import LONGEST_TEXT
from cohorts.release_files import FOREIGN


def fill(template: Sequence[tuple[str, str | None]], cells: pd.DataFrame) -> pd.Series[str]:
    """Put the cells of each row into a template (see `CohortPart.template`)."""
    paths = pd.Series([""] * len(cells), cells.index, dtype="str")
    for text, column in template:
        paths += text
        if column is not None:
            paths += cells[column]
    return paths


def objections(
    template: Sequence[tuple[str, str | None]], cells: pd.DataFrame, paths: pd.Series[str]
) -> pd.Series[str]:
    """Say which paths are not those of a file below the root, and why; NA for those that are.

    A cell is a stranger's: it may lead out of the folder, to a hidden file, or to none.
    """
    found = pd.Series([None] * len(paths), paths.index, dtype="str")
    reasons = {
        "The name of its file is too long.": paths.str.len() > min(LONGEST_TEXT, 4096),
        "The name of its file has a character that cannot be seen.": paths.str.contains(
            r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", regex=True
        ),
        "The path of its file has a backslash; write it with /.": paths.str.contains("\\", regex=False),
        "The path of its file leads out of the folder of the cohort.": paths.str.contains(
            r"^/|^~|^[A-Za-z]:|(?:^|/)\.\.?(?:/|$)", regex=True
        ),
        "The path of its file is that of a hidden file.": paths.str.contains(
            r"(?:^|/)(?:\.|(?:" + "|".join(map(_escaped, sorted(FOREIGN))) + r")(?:/|$))", regex=True
        ),
        "The path of its file has an empty part.": paths.str.contains(r"//|/$", regex=True),
    }
    for reason, wrong in reversed(reasons.items()):
        found = found.mask(wrong, reason)
    for _, column in template:
        if column is not None:
            found = found.mask(cells[column] == "", f"The column '{column}', which names its file, is empty.")
    return found


def _escaped(name: str) -> str:
    return "".join(f"\\{character}" if not character.isalnum() else character for character in name)


def status_of(entry: os.DirEntry[str]) -> os.stat_result:
    """Give size and time of a file, or of a link that leads nowhere: that is one record's matter."""
    try:
        return entry.stat()
    except OSError:
        return entry.stat(follow_symlinks=False)
