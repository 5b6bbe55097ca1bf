"""Which concept each release annotates, how often it is positive there, and why not, as a page.

``python -m cohorts.ontology.coverage_table > docs/concepts-by-cohort.md`` writes the page anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from cohorts.ontology.ontology import Ontology, load_ontology

_FOLDER = Path(__file__).parent
_HEAD = """\
# Concepts by cohort

Generated from the ontology's tables by `python -m cohorts.ontology.coverage_table`; do not edit.

A number is how many records of the whole release are positive, as far as public counts say: those of a copy
on disk may be fewer. "≤" stands before the sum of several statements that one record may carry together, or
that may be hedged. "yes": annotated, the number is not public. "?": ambiguous. "·": not annotated. Where it
is neither "yes" nor a number, every record is -1 for the concept, and the reason stands below.
"""
_BELOW = """\
## Why not

By cohort, the reason for every concept that is not annotated there.
"""


def positives() -> pd.DataFrame:
    """Positives of whole releases, as public counts give them.

    Returns
    -------
    pandas.DataFrame
        Index ``cohort`` and ``concept``; columns ``positives`` and ``bound``, ``"exactly"`` or ``"at most"``:
        the sum over statements that may stand in one record together, or be hedged.
    """
    return pd.read_csv(_FOLDER / "positives.csv").set_index(["cohort", "concept"])


def minimum_prevalence() -> pd.Series[float]:
    """Least plausible prevalence of a concept in a hospital, in %, where the releases allow to name one.

    A release that states a concept in fewer of its records did not look for it systematically, so the
    concept is ambiguous there. It is a fifth of the lowest prevalence among the large releases (3,000
    records or more) that state the concept in at least 50 records; the table names that release.
    """
    return pd.read_csv(_FOLDER / "minimum_prevalence.csv").set_index("concept")["percent"]


def coverage_table(ontology: Ontology) -> str:
    """Write the page as Markdown."""
    return "\n".join([_HEAD, *_matrix(ontology), "", _BELOW, *_reasons(ontology)])


def _matrix(ontology: Ontology) -> Iterator[str]:
    counts = positives()
    states = {cohort: ontology.coverage(cohort) for cohort in ontology.cohorts}
    for category, concepts in ontology.concepts.groupby("category", sort=False):
        yield f"## {category}\n"
        yield "| concept | " + " | ".join(ontology.cohorts) + " |"
        yield "|---|" + "---:|" * len(ontology.cohorts)
        for concept in concepts.index:
            cells = (_cell(states[cohort][concept], counts, (cohort, concept)) for cohort in ontology.cohorts)
            yield f"| {concept} | " + " | ".join(cells) + " |"
        yield ""


def _cell(state: str, counts: pd.DataFrame, key: tuple[str, str]) -> str:
    if state != "annotated":
        return "?" if state == "ambiguous" else "·"
    if key not in counts.index:
        return "yes"
    number, bound = counts.loc[key, ["positives", "bound"]]
    return f"{'≤ ' if bound == 'at most' else ''}{number:,}"


def _reasons(ontology: Ontology) -> Iterator[str]:
    for cohort in ontology.cohorts:
        coverage = ontology.coverage(cohort)
        found: dict[tuple[str, str], list[str]] = {}
        for concept, state in coverage[coverage != "annotated"].items():
            reason = ontology.coverage_reason(cohort, str(concept))
            found.setdefault((state, reason), []).append(str(concept))
        yield f"### {cohort}\n"
        yield from (
            f"- {', '.join(concepts)} ({state}): {reason}" for (state, reason), concepts in found.items()
        )
        yield ""


if __name__ == "__main__":
    sys.stdout.write(coverage_table(load_ontology()))
