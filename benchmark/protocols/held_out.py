"""The honest test of "zero-shot": concepts that are kept from a model while it is pre-trained.

A model that has read "left bundle branch block" beside a thousand tracings of it is not tested on
anything new when it is asked for one. So a twin of it is pre-trained without some concepts: without every
record that has one or may have one, and without every sentence that names one. It is then asked for
these concepts alone, on the same cohorts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from cohorts.ontology.ontology import Ontology

HELD_OUT = ("AF", "LBBB", "PVC", "LVH")
"""One of each kind (rhythm, conduction, ectopy, hypertrophy), fixed before any result was seen."""


def keeps_silent(
    labels: pd.DataFrame, sentences: Sequence[tuple[str, ...]], held_out: Sequence[str], ontology: Ontology
) -> npt.NDArray[np.bool_]:
    """Tell which records say nothing of the concepts that are held out.

    Parameters
    ----------
    labels
        int8 ``[records, concepts]`` of one cohort.
    sentences
        Of each record.
    held_out
        Concept ids; what lies below them is held out with them.

    Returns
    -------
    bool ``[records]``: no such concept is positive or, where the cohort annotates it, open; and no
    sentence names one.
    """
    family = [member for concept in held_out for member in (concept, *ontology.descendants(concept))]
    annotated = [concept for concept in family if (labels[concept] >= 0).any()]
    clear = (labels[annotated] == 0).all(axis=1).to_numpy(dtype=np.bool_)
    if family:
        names = words(family, ontology)
        silent = [not any(names.search(text.lower()) for text in said) for said in sentences]
        return clear & np.array(silent, dtype=np.bool_)
    return clear


def words(concepts: Sequence[str], ontology: Ontology) -> re.Pattern[str]:
    """Make a pattern that finds the id, the name or a prompt of a concept in lower-case text."""
    table = ontology.concepts
    terms = [
        str(term).lower()
        for concept in concepts
        for term in (concept, table["name"][concept], *table["prompts"][concept])
    ]
    return re.compile(r"\b(?:" + "|".join(re.escape(term) for term in dict.fromkeys(terms)) + r")s?\b")
