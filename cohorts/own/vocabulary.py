"""What the codes of a hospital mean: a CSV of its own, or one of the ontology's vocabularies."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd

from cohorts.errors import LeadboardError, UsageError
from cohorts.ontology.checks import check_vocabulary
from cohorts.ontology.ontology import load_ontology
from cohorts.ontology.tables import VOCABULARY_COLUMNS
from cohorts.own.column_names import named
from cohorts.own.phrases import plain_phrase
from cohorts.own.reading import unknown_name

_REQUIRED = ("code", "concept", "relation")


def read_vocabulary(folder: Path, name: str, free_text: bool = False) -> pd.DataFrame:
    """Read a hospital's own vocabulary, or take one of the ontology's.

    Parameters
    ----------
    name
        Of a CSV file in ``folder``, or of a vocabulary such as ``"snomed"``.
    free_text
        Its codes are phrases, compared in small letters.

    Returns
    -------
    pandas.DataFrame
        Columns as of the ontology's vocabularies; rows for other cohorts are left out, and so are rows of
        the hospital's own without a relation: nobody has decided yet what these codes mean.

    Raises
    ------
    UsageError
        If there is none, or a row of it is wrong.
    """
    vocabularies = load_ontology().vocabularies
    if name in vocabularies:
        table = vocabularies[name]
        return table[table["cohort"] == ""].reset_index(drop=True)
    path = folder / name
    try:
        there = path.is_file()
    except OSError:  # a name that is too long, for one
        there = False
    if not there:
        raise UsageError(
            f"{path} is not there, and no vocabulary has this name; there are "
            f"{', '.join(sorted(vocabularies))}. A CSV of your own begins with code,concept,relation and a "
            "row such as AFIB,AF,same: 'leadboard prepare --check' then writes the other codes as rows."
        )
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            separator = max(",;\t", key=first.count)  # Excel writes ; where the comma is the decimal sign
            reader = csv.reader(file, delimiter=separator, strict=True)
            names = [column.strip() for column in next(reader, [])]
            rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(row)]
    except (OSError, UnicodeError, csv.Error) as error:
        raise UsageError(
            f"{path} cannot be read ({type(error).__name__}); save it as CSV in UTF-8."
        ) from None
    missing = [column for column in _REQUIRED if column not in names]
    strange = [column for column in names if column not in VOCABULARY_COLUMNS]
    if missing or strange or len(set(names)) < len(names):
        raise UsageError(
            f"{path} is no vocabulary: {named(names) if any(names) else 'it is empty.'} A vocabulary has the "
            "columns code, concept and relation, and name and note if wanted."
        )
    uneven = [line for line, row in rows if len(row) != len(names)]
    if uneven or not rows:
        what = f"another number of cells than columns in line {uneven[0]}" if uneven else "no rows"
        raise UsageError(f"{path} has {what}; correct it.")
    table = pd.DataFrame(
        [row for _, row in rows], columns=names, index=[line for line, _ in rows], dtype="str"
    )
    if free_text:
        table["code"] = table["code"].map(plain_phrase)
    return _checked(path, table[table["relation"] != ""])


def _checked(path: Path, table: pd.DataFrame) -> pd.DataFrame:
    """Check rows, whose index is their line of the file."""
    concepts = load_ontology().concepts.index
    for line, row in table.iterrows():
        if row["concept"] and row["concept"] not in concepts:
            raise UsageError(f"{path}, line {line}: {unknown_name('concept', row['concept'], concepts)}")
    table = table.reindex(columns=list(VOCABULARY_COLUMNS), fill_value="")
    if (table["cohort"] != "").any():
        raise UsageError(f"{path} has rows for other cohorts; leave its column 'cohort' out.")
    table["note"] = table["note"].where(table["note"] != "", "as the hospital's vocabulary has it")
    try:
        check_vocabulary(str(path), table, set(concepts), set())
    except LeadboardError as error:
        raise UsageError(str(error)) from None
    computed = [concept for concept in table["concept"] if concept and load_ontology().parts(concept)]
    if computed:
        parts = " and ".join(load_ontology().parts(computed[0]))
        raise UsageError(f"{path} states {computed[0]}, which is computed from {parts}; map codes to those.")
    return table.reset_index(drop=True)
