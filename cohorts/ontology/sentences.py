"""What a report says, as sentences: the one policy for the texts of all cohorts.

1. An encoder that reads many languages is given the report as it was written, where there is one.
2. An English encoder is given the report only where the release wrote it in English, a line a sentence
   (MIMIC-IV-ECG).
3. In every other case each coded statement is a sentence: its English name in the release's vocabulary
   ("1AVB" -> "first degree AV block"), with the names of its modifiers behind it. Nothing is derived
   from labels, so a text never says more than the release does. A code that a reader of a table made for
   what it does not say (an empty cell) is no sentence.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cohorts.cohort import CohortCard
from cohorts.ontology.ontology import Ontology

NO_SENTENCE = "(nothing was said)"
"""Name of a code that stands for silence."""


def sentences_of(
    index: pd.DataFrame, card: CohortCard, ontology: Ontology, *, multilingual: bool = False
) -> list[tuple[str, ...]]:
    """Give the sentences of each record of a cohort.

    Parameters
    ----------
    index
        With the columns ``statements`` and ``report``.
    card
        Of the release: its vocabulary, and whether its reports are in English.
    multilingual
        Whether the reader of the sentences reads any language.

    Returns
    -------
    list of tuple of str
        One tuple a record, each sentence once; empty where nothing was stated.
    """
    names = wording(card, ontology)
    found = []
    for statements, report in zip(index["statements"], index["report"], strict=True):
        native = isinstance(report, str) and report.strip() != ""
        if native and (multilingual or card.english_reports):
            said: Sequence[str] = report.splitlines()
        else:
            said = [name for code in statements if (name := _name(code, names)) != NO_SENTENCE]
        found.append(tuple(dict.fromkeys(text for line in said if (text := " ".join(line.split())))))
    return found


def wording(card: CohortCard, ontology: Ontology) -> dict[str, str]:
    """Name of each code as `sentences_of` words it for a cohort."""
    rows = ontology.rows(card.id, card.vocabulary)
    return {code: name for code, name in zip(rows["code"], rows["name"], strict=True) if name}


def _name(code: str, names: dict[str, str]) -> str:
    """Name of a statement. One that is in no table is text itself, or at least its own name."""
    if code in names:
        return names[code]
    base, *modifiers = code.split("+")
    return ", ".join(
        [names.get(base, base), *(names.get(f"+{modifier}", modifier) for modifier in modifiers)]
    )
