"""What is doubtful about the people of a cohort, by its index alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pandas as pd

from cohorts.cohort import Cohort
from cohorts.counts import plural
from cohorts.first_look.finding import Finding, reasons, shown

MANY = 20
"""Recordings of one patient from which on the id is looked at, if they are a twentieth of all too."""

SHARE = 0.05
UNKNOWN = 0.5
"""Share of records without an age, or a sex, from which on it is said."""


def people(cohort: Cohort) -> Iterator[Finding]:
    """Look at ids, ages, sexes and folds of all records of an index."""
    index = cohort.index()
    every = len(index)
    odd = cohort.odd_ages
    if odd:
        values = ", ".join(f"{age:g}" for age in sorted(odd)[:3])
        yield Finding(
            f"Ages that nobody has, such as {values} years, are taken as unknown",
            sum(odd.values()),
            every,
            (),
            "nothing, if the release hides high ages so; else check the column",
        )
    if cohort.unknown_sexes:
        yield Finding(
            "Sexes that are not understood are taken as unknown",
            sum(cohort.unknown_sexes.values()),
            every,
            (),
            "say what the codes of the sexes mean",
        )
    for column, name, names in (("age", "an age", "ages"), ("sex", "a sex", "sexes")):
        missing = index[column].isna()
        if missing.mean() > UNKNOWN:
            yield Finding(
                f"Records without {name}",
                int(missing.sum()),
                every,
                shown(index.loc[missing, "record_id"]),
                f"check the column, unless the cohort has no {names}",
            )
    yield from _patients(index)
    if len(cohort.unreadable):
        why = Counter(str(reason).rstrip(".") for reason in cohort.unreadable["reason"])
        yield Finding(
            "Records that cannot be indexed",
            len(cohort.unreadable),
            every + len(cohort.unreadable),
            shown(cohort.unreadable["record_id"]),
            reasons(why),
        )


def _patients(index: pd.DataFrame) -> Iterator[Finding]:
    every, known = len(index), index[index["patient_id"].notna()]
    folds = known.dropna(subset="fold").groupby("patient_id")["fold"].nunique()
    torn = known["patient_id"].isin(folds.index[folds > 1])
    if torn.any():
        yield Finding(
            f"Recordings of {plural(int((folds > 1).sum()), 'patient')} lie in more than one fold",
            int(torn.sum()),
            every,
            shown(known.loc[torn, "record_id"]),
            "give all recordings of a patient the same fold: a model would be tested on whom it knows",
        )
    counts = known["patient_id"].value_counts()
    many = known["patient_id"].isin(counts.index[(counts > MANY) & (counts > SHARE * every)])
    if many.any():
        yield Finding(
            "One patient has very many recordings",
            int(many.sum()),
            every,
            shown(known.loc[many, "record_id"]),
            "check whether the column is one of patients",
        )
