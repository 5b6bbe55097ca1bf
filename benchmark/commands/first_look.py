"""`leadboard prepare --check`: a first look at cohorts, before anything runs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.commands.options import print_json
from benchmark.commands.printing import print_table
from benchmark.config import Places
from benchmark.files import write_atomically
from benchmark.progress import Reporter
from benchmark.report.ecg_sheet import sheet
from benchmark.run.cohorts import open_release
from benchmark.terminal import tell
from cohorts.cohort import Cohort
from cohorts.counts import plural
from cohorts.errors import LeadboardError, UsageError
from cohorts.first_look.look import FirstLook, first_look
from cohorts.own.cohort import OwnCohort
from cohorts.own.recognition.codes import rows_to_fill_in

WIDTH = 100
"""Columns of the terminal that everything fits."""

_VALUES = 4
"""Different rates, durations or orders of leads that are shown."""


def check(
    names: Sequence[str], places: Places, reporter: Reporter, out: Path, seed: int, as_json: bool
) -> int:
    """Look at cohorts, write their sheets and say what was seen; 1 if nothing can be read of one."""
    found: dict[str, Any] = {}
    failed = False
    for name in names:
        try:
            cohort = open_release(name, places)
            with reporter.step(f"Looking at {name}", quiet_without_work=True) as progress:
                look = first_look(cohort, seed, progress)
        except UsageError:
            raise
        except LeadboardError as error:
            reporter.say(f"FAILED {name}: {error}")
            failed = True
            continue
        failed = failed or not look.read
        sheets = _write_sheets(name, cohort, look, out)
        codes = _write_codes(name, cohort, out)
        if as_json:
            found[name] = {**_facts(look, sheets), "codes": str(codes) if codes else None}
        else:
            tell(*_text(name, cohort, look))
            _print_concepts(look)
            tell(*_findings(look), *_where(sheets, out), *_what_to_add(codes), "")
    if as_json:
        print_json(found)
    return 1 if failed else 0


def _write_sheets(name: str, cohort: Cohort, look: FirstLook, out: Path) -> dict[str, str]:
    """Draw the chosen recordings; neither a file nor a sheet carries an id, or anything else of a patient."""
    written: dict[str, str] = {}
    for number, (record_id, recording) in enumerate(look.sheets, start=1):
        picture = sheet(
            recording,
            f"{name}: recording {number} of {len(look.sheets)} chosen at random",
            note="a first look, before anything is measured",
            simulated=cohort.card.simulated,
        )
        path = out / f"{name}-{number}.png"
        _write(path, picture.png, out)
        written[record_id] = str(path)
    return written


def _write_codes(name: str, cohort: Cohort, out: Path) -> Path | None:
    """Write the codes that a hospital's vocabulary lacks as rows of it, the most frequent first."""
    unheard = cohort.unheard() if isinstance(cohort, OwnCohort) else {}
    if not unheard:
        return None
    path = out / f"{name}-codes.csv"
    _write(path, rows_to_fill_in(unheard).encode(), out)
    return path


def _write(path: Path, content: bytes, out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
    except OSError as error:
        raise UsageError(f"{out} cannot be written ({error.strerror}); choose another --out.") from None


def _text(name: str, cohort: Cohort, look: FirstLook) -> Iterator[str]:
    """Say what there is, a line for each kind of fact."""
    simulated = ", SIMULATED" if cohort.card.simulated else ""
    yield f"{name}: {cohort.card.name}{simulated}"
    yield from _line(
        "records", f"{look.records:,} in the index; {look.read} of a sample of {look.sampled} can be read"
    )
    yield from _line(
        "patients",
        "not stated, so each record counts as one" if look.patients is None else f"{look.patients:,}",
    )
    yield from _line("leads", _counted({" ".join(leads): count for leads, count in look.leads.items()}))
    yield from _line("rates", _counted({f"{rate:g} Hz": count for rate, count in look.rates.items()}))
    yield from _line(
        "durations", _counted({f"{seconds:g} s": count for seconds, count in look.seconds.items()})
    )
    ages = "none known"
    if look.ages is not None:
        lowest, median, highest = look.ages
        ages = f"{lowest:g} to {highest:g} years, median {median:g}"
    yield from _line("ages", f"{ages}; {look.unknown_ages:,} unknown")
    yield from _line("sexes", ", ".join(f"{count:,} {sex}" for sex, count in look.sexes.items()) or "none")


def _line(name: str, text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=f"  {name:<11}", subsequent_indent=" " * 13) or [
        f"  {name}"
    ]


def _counted(values: Mapping[str, int]) -> str:
    """Name values with the number of recordings of the sample, the most frequent first."""
    first = sorted(values.items(), key=lambda item: -item[1])
    named = [value if len(first) == 1 else f"{value} ({count})" for value, count in first[:_VALUES]]
    return "; ".join(named + ([f"{len(first) - _VALUES} more"] if len(first) > _VALUES else [])) or "none"


def _print_concepts(look: FirstLook) -> None:
    """Print the labels of the whole index, by concept that is annotated."""
    stated = look.concepts[look.concepts["positive"] > 0].sort_values(
        "positive", ascending=False, kind="stable"
    )
    if len(stated):
        tell("")
        print_table(
            [
                {
                    "concept": str(concept),
                    "positive": int(row["positive"]),
                    "negative": int(row["negative"]),
                    "not annotated": int(row["open"]),
                }
                for concept, row in stated.iterrows()
            ]
        )
    never = [str(concept) for concept in look.concepts.index if concept not in stated.index]
    if never:
        tell(*_wrapped(f"Annotated, and positive in no record here: {', '.join(never)}."))
    if look.concepts.empty:
        tell("No concept is annotated, so nothing can be measured on it.")


def _findings(look: FirstLook) -> Iterator[str]:
    """Say what is doubtful, each with what to do."""
    if not look.findings:
        yield "Nothing doubtful was found."
        return
    yield f"{plural(len(look.findings), 'doubtful thing')}:"
    for finding in look.findings:
        count = f" ({finding.records:,} of {finding.of:,}" if finding.of else ""
        examples = ""
        if finding.examples:
            more = ", ..." if finding.records > len(finding.examples) else ""
            examples = f": {', '.join(finding.examples)}{more}"
        numbers = f"{count}{examples})" if count else examples and f" For example{examples}."
        to_do = f". To do: {finding.to_do}." if finding.to_do else ""
        text = f"{finding.what}{numbers}{to_do}" if to_do or numbers else finding.what
        yield from textwrap.wrap(text, WIDTH, initial_indent="  - ", subsequent_indent="    ")


def _where(sheets: Mapping[str, str], out: Path) -> Iterator[str]:
    if sheets:
        yield from _wrapped(f"Sheets of {', '.join(sheets)}, in this order, are in {out}: look at them.")


def _what_to_add(codes: Path | None) -> Iterator[str]:
    if codes:
        yield from _wrapped(
            f"The codes that the vocabulary does not know are in {codes}: say what they mean (relation: "
            "same, narrower, ambiguous or unmapped), in the vocabulary or by adding the rows to it."
        )


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)  # a path stays whole


def _facts(look: FirstLook, sheets: Mapping[str, str]) -> dict[str, Any]:
    """Give the same as a tree of JSON."""
    return {
        "records": look.records,
        "patients": look.patients,
        "sampled": look.sampled,
        "read": look.read,
        "leads": [{"leads": list(leads), "records": count} for leads, count in look.leads.items()],
        "sampling_rates": [{"hz": rate, "records": count} for rate, count in look.rates.items()],
        "durations": [{"seconds": seconds, "records": count} for seconds, count in look.seconds.items()],
        "ages": None
        if look.ages is None
        else dict(zip(("lowest", "median", "highest"), look.ages, strict=True)),
        "unknown_ages": look.unknown_ages,
        "sexes": look.sexes,
        "concepts": {
            str(concept): {name: int(row[name]) for name in ("positive", "negative", "open")}
            for concept, row in look.concepts.iterrows()
        },
        "findings": [
            {
                "what": finding.what,
                "records": finding.records,
                "of": finding.of,
                "examples": list(finding.examples),
                "to_do": finding.to_do,
            }
            for finding in look.findings
        ],
        "sheets": dict(sheets),
    }
