"""PTB-XL+: a second reader of PTB-XL, the statements of GE's Marquette 12SL programme.

Not a cohort: it has no recordings and its labels are not the truth beside PTB-XL's. The 12SL statements are
read from the column ``statements``. The column ``statements_ext_snomed`` is not used, because it holds the
ancestors of each statement as well, and leaves what is only possible to another column.
Version 1.0.1, CC-BY-4.0, https://physionet.org/content/ptb-xl-plus/1.0.1/; Strodthoff et al., Scientific Data
10:279, 2023, doi:10.1038/s41597-023-02153-8.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from cohorts.errors import UsageError
from cohorts.families import twelve_sl
from cohorts.formats.csv_rows import csv_rows
from cohorts.ontology import load_ontology

FOLDER = "ptb-xl-plus"
"""Where the release lies below the data root."""

TABLE = Path("labels", "12sl_statements.csv")

_PROGRAMME = "heedb-mgh"
_LIST = re.compile(r"""\[\s*(?:(?:'[^']*'|"[^"]*")\s*(?:,\s*|(?=\])))*\]""")
_QUOTED = re.compile(r"""['"]([^'"]*)['"]""")


def second_reader(folder: Path, record_ids: Sequence[str]) -> pd.DataFrame:
    """Labels that the programme gives records of PTB-XL.

    Parameters
    ----------
    folder
        The release's folder.
    record_ids
        As in PTB-XL's index (``ecg_id``); the release's table is in another order.

    Returns
    -------
    pandas.DataFrame
        int8 ``[records, concepts]``, indexed by ``record_ids``: 1, 0 or -1. Which concepts the programme's
        silence is a negative for is as for HEEDB, where physicians confirm the same programme's statements.
        A record that the table lacks is -1 throughout.

    Raises
    ------
    UsageError
        If the table is not there, or a row of it is no list of statements.
    """
    found = _statements(folder / TABLE)
    known = [record_id for record_id in record_ids if record_id in found]
    labels = load_ontology().labels(_PROGRAMME, twelve_sl.VOCABULARY, [found[name] for name in known])
    return labels.set_axis(known).reindex(list(record_ids), fill_value=-1).astype("int8")


def _statements(path: Path) -> dict[str, tuple[str, ...]]:
    found = {}
    try:
        for line, row in csv_rows(path, ("ecg_id", "statements")):
            if not _LIST.fullmatch(row["statements"].strip()):
                raise UsageError(f"{path} has no list of statements at line {line}; download it again.")
            tokens = _QUOTED.findall(row["statements"])
            found[row["ecg_id"].strip().removesuffix(".0")] = twelve_sl.statements(tokens)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror}); put PTB-XL+ into the folder '{FOLDER}'."
        ) from None
    return found
