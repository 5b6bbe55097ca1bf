"""A page for every published cohort: its card, how to get it, its labels, what a reader must know."""

from __future__ import annotations

import functools
import inspect
import tempfile
from collections.abc import Mapping
from pathlib import Path

from cohorts import sources
from cohorts.catalogue import all_cohorts, open_cohort, sharing
from cohorts.cohort import Cohort, CohortCard
from cohorts.download.publishers import publication_by
from cohorts.ontology import load_ontology
from cohorts.ontology.coverage_table import coverage_matrix, coverage_reasons, positives, positives_in_words
from cohorts.simulator.simulate import RELEASES, simulate
from docs.generate.markup import NOTHING, code, console, facts, plain, prose, table

_STATED = {"patient_id": "patient", "age": "age", "sex": "sex", "fold": "fold", "report": "report"}
"""Column of the index -> what it tells of a recording."""

_HEAD = """\
# Cohorts

Every published release that Leadboard reads, by what its class in `cohorts/sources/` states. `leadboard
cohorts` says which of them are on your machine. Patients are known where the release names them: then
intervals are over patients, else over recordings. Cohorts that hold the same recordings never stand side
by side in one ranking.

"""

_BELOW = """

[Concepts by cohort](by-concept.md) has the number of positives of each concept in each cohort. A cohort
of your own needs a table and a few lines: [My own hospital](../own-hospital.md). Not read: CODE-II-open
(doi:10.1038/s41746-026-02704-4), because the layout of its files is not published. PTB-XL+ is no cohort
but a second reader of PTB-XL: [What silence means](../labels.md#a-second-reader).
"""


_POSITIVES = (
    'Positives are those of the whole release, as far as public counts say. "≤": the sum of statements that '
    f'one record may carry together, or that may be hedged. "{NOTHING}": the number is not public.'
)


def published() -> Mapping[str, type[Cohort]]:
    """Give the cohorts that come with Leadboard, by id: not those of packages that happen to be installed."""
    return {
        name: cohort
        for name, cohort in all_cohorts().items()
        if cohort.__module__.startswith(f"{sources.__name__}.")
    }


def pages() -> dict[str, str]:
    """Give the Markdown of the overview, of each cohort and of the table of positives, by place."""
    stated = {name: what_is_stated(name) for name in published()}
    return {
        "cohorts/index.md": overview(stated),
        "cohorts/by-concept.md": coverage_matrix(load_ontology()),
        **{f"cohorts/{name}.md": page(cohort, stated[name]) for name, cohort in published().items()},
    }


def overview(stated: Mapping[str, frozenset[str]]) -> str:
    """Write the table of all cohorts."""
    ontology = load_ontology()
    rows = [
        (
            f"[{code(name)}]({name}.md)",
            plain(card.name),
            plain(card.country),
            _records(card),
            "yes" if "patient" in stated[name] else "no",
            str(int((ontology.coverage(name) == "annotated").sum())),
            card.access,
            plain(card.licence),
        )
        for name, card in ((name, cohort.card) for name, cohort in published().items())
    ]
    head = ("id", "release", "country", "records", "patients known", "concepts", "access", "licence")
    return _HEAD + table(head, rows) + _BELOW


def page(cohort: type[Cohort], stated: frozenset[str]) -> str:
    """Write the page of one cohort."""
    card = cohort.card
    folds = card.folds
    known = facts(
        (
            ("Release", f"{plain(card.name)} {plain(card.version)}"),
            ("Recordings", _records(card)),
            ("Country", plain(card.country)),
            ("Licence", plain(card.licence)),
            ("Access", plain(card.access)),
            ("Sampling rate", ", ".join(f"{rate:g} Hz" for rate in card.sampling_rates)),
            ("Stated of a recording", ", ".join(sorted(stated)) or NOTHING),
            (
                "Folds",
                ""
                if folds is None
                else "; ".join(
                    f"{part} {', '.join(map(str, getattr(folds, part)))}"
                    for part in ("training", "validation", "test")
                ),
            ),
            ("Reports", "in English" if card.english_reports and "report" in stated else ""),
            ("Vocabulary of its statements", code(card.vocabulary)),
            ("Other readings", ", ".join(f"{plain(k)}: {code(v)}" for k, v in card.readings.items())),
            (
                "Same recordings in",
                ", ".join(map(_linked, sorted(sharing(card.id) - {card.id}))),
            ),
            ("Publisher's page", f"<{card.url}>"),
            ("Cite", plain(card.citation)),
            ("Read by", code(f"{cohort.__module__.replace('.', '/')}.py")),
        )
    )
    parts = [f"# {plain(card.name)}", known, about(cohort), "## How to get it", how_to_get(cohort)]
    return "\n\n".join([*parts, labels_of(card.id), people(card.id), caveats(cohort)]) + "\n"


def about(cohort: type[Cohort]) -> str:
    """Say what its class, and the family that it belongs to, know of the release."""
    docs = [kind.__dict__.get("__doc__") for kind in cohort.__mro__[: cohort.__mro__.index(Cohort)]]
    return "\n\n".join(prose(inspect.cleandoc(words)) for words in docs if words)


def how_to_get(cohort: type[Cohort]) -> str:
    """Say how a release comes to the machine: fetched, signed for, or put there by hand."""
    card, publication = cohort.card, publication_by(cohort)
    place = f"It lies in {code(card.folder)} below the folder that {code('--data')} names."
    if publication is None:
        return f"It cannot be fetched from here: see <{card.url}>. {place}"
    release = publication.release
    said = [
        f"About {release.size / 1e9:,.2f} GB, from the publisher's page. {place}",
        console(f"leadboard download {card.id} --data RELEASES"),
    ]
    if release.agreement:
        said.insert(
            1,
            f"It is not open to everybody: sign {plain(release.agreement)} on the publisher's page, then set "
            f"{code('PHYSIONET_USER')} and {code('PHYSIONET_PASSWORD')}.",
        )
    if release.afterwards:
        said.append(f"Then, by hand: {plain(release.afterwards)}")
    return "\n\n".join(said)


def labels_of(name: str) -> str:
    """Write which concepts are annotated, how often they are positive, and why the others are not."""
    ontology, counts = load_ontology(), positives()
    states = ontology.coverage(name)
    annotated = [str(concept) for concept in states.index[states == "annotated"]]
    rows = [
        (
            f"[{code(concept)}](../concepts/{slug(row['category'])}.md#{slug(str(concept))})",
            plain(row["name"]),
            positives_in_words(name, str(concept), counts) or NOTHING,
        )
        for concept, row in ontology.concepts.loc[annotated].iterrows()
    ]
    reasons = "\n".join(
        f"- {', '.join(map(code, concepts))} ({state}): {plain(reason)}"
        for (state, reason), concepts in coverage_reasons(ontology, name).items()
    )
    return "\n\n".join(
        [
            "## Labels",
            f"{len(annotated)} of {len(states)} concepts are annotated. {_POSITIVES}",
            table(("concept", "", "positives"), rows),
            "### Why the others are not",
            f"Every record is -1, not annotated, for these:\n\n{reasons}"
            if reasons
            else "There are no others.",
        ]
    )


def people(name: str) -> str:
    """Say where ages and sexes are to be seen: no figure of them is among the facts of a release."""
    return "\n\n".join(
        [
            "## People",
            "Ages, sexes, lengths and rates of your copy, and whatever is doubtful about it:",
            console(f"leadboard prepare {name} --check --data RELEASES"),
        ]
    )


def caveats(cohort: type[Cohort]) -> str:
    """List what a reader of its numbers must know."""
    card, ontology = cohort.card, load_ontology()
    found = [f"Its signals are {plain(card.signal_note)}"] if card.signal_note else []
    if card.copy_of:
        found.append(f"It holds recordings of {_linked(card.copy_of)}: the two never take part in one run")
    open_ = ontology.questions.loc[ontology.questions["cohort"] == card.id]
    found += [
        f"{', '.join(map(code, row['concepts']))}: {plain(row['reason'])}" for _, row in open_.iterrows()
    ]
    if not found:
        return ""
    bullets = "\n".join(f"- {one.rstrip('.')}." for one in found)
    return f"## What to know\n\n{bullets}"


def _records(card: CohortCard) -> str:
    return NOTHING if card.records is None else f"{card.records:,}"


def _linked(name: str) -> str:
    """Name a cohort, with a link to its page if it has one: that of an installed package has none."""
    return f"[{code(name)}]({name}.md)" if name in published() else code(name)


def slug(text: str) -> str:
    """Give a name the form that it has in an address."""
    return text.lower().replace(" ", "-")


@functools.cache
def what_is_stated(name: str) -> frozenset[str]:
    """Find out what is read of a recording, from a tiny simulated copy in the release's own layout."""
    if name not in RELEASES:
        return frozenset()
    with tempfile.TemporaryDirectory() as folder:
        simulate(Path(folder), sites=[name], scale=0.02)
        cohort = open_cohort(name, Path(folder))
        if cohort is None:
            raise FileNotFoundError(f"no simulated {name}")
        index = cohort.index()
        return frozenset(word for column, word in _STATED.items() if index[column].notna().any())
