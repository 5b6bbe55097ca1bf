"""Reading ``cohort.toml``: whatever is wrong in it becomes one sentence, with what was probably meant."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from cohorts.errors import UsageError
from cohorts.ontology.ontology import load_ontology
from cohorts.own.description import Description
from cohorts.own.label_description import LabelsPart

LARGEST = 256 * 1024
"""Bytes of a description."""


def read_description(path: Path) -> Description:
    """Read and check a description.

    Raises
    ------
    UsageError
        Saying which entry is wrong and, of a wrong key, which was meant.
    """
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            raise UsageError(
                f"{path} is no file of at most {LARGEST // 1024} kB; give the path of a cohort.toml."
            )
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}).") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not valid TOML: {' '.join(str(error).split())[:120]}.") from None
    try:
        description = Description.model_validate(content)
    except ValidationError as error:
        raise UsageError(f"{path}: {_told(error)}") from None
    description.cohort.template()
    _check_concepts(path, description.labels)
    return description


def _check_concepts(path: Path, labels: LabelsPart) -> None:
    """Refuse concepts that do not exist, or that others decide."""
    ontology = load_ontology()
    stated = labels.statements.annotated if labels.statements else None
    for concept in (*labels.columns, *(stated or ())):
        if concept not in ontology.concepts.index:
            raise UsageError(f"{path}: {unknown_name('concept', concept, ontology.concepts.index)}")
        parts = ontology.parts(concept)
        if parts:
            raise UsageError(
                f"{path}: {concept} is computed from {' and '.join(parts)}; give those, and leave "
                f"{concept} out."
            )


def unknown_name(kind: str, name: str, available: Iterable[str]) -> str:
    """Say what was probably meant; a list of all concepts would hide it."""
    folded = {one.casefold(): one for one in available}
    begins = [one for one in folded if len(one) > 1 and name.casefold().startswith(one)]
    near = [
        *sorted(begins, key=len, reverse=True),
        *get_close_matches(name.casefold(), folded, n=3, cutoff=0.5),
    ]
    meant = [folded[one] for one in dict.fromkeys(near)][:3]
    hint = f"did you mean {' or '.join(meant)}?" if meant else f"'leadboard {kind}s' lists them."
    return f"unknown {kind} '{name}'; {hint}"


def _told(error: ValidationError) -> str:
    """Tell the first fault in a sentence."""
    faults: Any = error.errors(include_url=False, include_input=False)
    fault = next((one for one in faults if one["type"] == "extra_forbidden"), faults[0])
    where = [str(part) for part in fault["loc"] if part not in ("str", "constrained-float")]
    place = ".".join(where) or "the file"
    if fault["type"] == "extra_forbidden":
        return _wrong_key(where)
    if fault["type"] == "missing":
        return f"{'.'.join(where[:-1]) or 'the file'} has no {where[-1]}; add it."
    words = re.sub(r"^(Value error|Assertion failed), ", "", fault["msg"])
    return f"{place}: {words[:1].lower() + words[1:]}."


def _wrong_key(where: list[str]) -> str:
    """Say which key of this table was probably meant, or which table the key belongs to."""
    *tables, key = where
    parts = {".".join(name): part for name, part in _tables(Description, ())}
    here, place = parts.get(".".join(tables)), ".".join(tables)
    names = list(here.model_fields) if here else []
    near = get_close_matches(key, names, n=1)
    elsewhere = [name for name, part in parts.items() if key in part.model_fields and name != place]
    table = f"[{place}]" if place else "the file"
    if near:
        return f"{table} has no key '{key}'; did you mean '{near[0]}'?"
    if elsewhere:
        home = f"[{elsewhere[0]}]" if elsewhere[0] else "the top of the file"
        return f"'{key}' belongs to {home}, not to {table}."
    return f"{table} has no key '{key}'; it may have {', '.join(names)}."


def _tables(
    part: type[BaseModel], name: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], type[BaseModel]]]:
    """Yield every table of a description with its name."""
    yield name, part
    for key, field in part.model_fields.items():
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from _tables(kind, (*name, key))
