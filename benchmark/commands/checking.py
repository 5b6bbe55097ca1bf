"""Commands for authors of models: check, new-model, new-labels."""

from __future__ import annotations

import contextlib
import functools
import sys
from collections import Counter
from pathlib import Path

from benchmark.commands.elsewhere import HERE, ElsewhereOptions
from benchmark.commands.options import (
    CacheOption,
    File,
    Folder,
    JsonOption,
    ModelName,
    NewFile,
    Seconds,
    print_json,
)
from benchmark.config import find_places
from benchmark.terminal import tell
from benchmark.text import visible
from cohorts.counts import plural
from cohorts.errors import UsageError

WIDTH = 22
"""Of the column of names."""


def check(
    model: ModelName,
    *,
    device: str = "auto",
    pretrain: bool = False,
    deadline: Seconds = 300.0,
    elsewhere: ElsewhereOptions = HERE,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> int:
    """Check a model against the whole contract on a mock cohort; no data are needed.

    Parameters
    ----------
    model
        Name, path/to/file.py:Class or package.module:Class.
    device
        Torch device, such as cpu or cuda; "auto" takes a GPU where there is one.
    pretrain
        Try pre-training even if the model is large.
    deadline
        Seconds that it may take for an answer.
    cache
        Folder that published weights were installed in (or LEADBOARD_CACHE).
    as_json
        Print JSON.
    """
    from benchmark.conformance import CheckResult, check_model
    from benchmark.models.label_map import map_lines
    from benchmark.models.plugins import find_model
    from benchmark.protocols.hardware import Hardware

    environment = elsewhere.environment(deadline, model)
    hardware = Hardware(device=device, deadline=deadline, fit_deadline=elsewhere.fit_deadline)
    if environment is None:  # this process cannot tell which devices there are in another one
        hardware.check()
    find = functools.partial(find_model, environment=environment, deadlines=hardware.deadlines)
    out = sys.stderr if as_json else sys.stdout

    def before(name: str) -> None:
        tell(f"{name:{WIDTH}}", error=as_json, end="")

    def after(result: CheckResult) -> None:
        tell(result.text(), error=as_json)

    places = find_places(None, cache)
    with contextlib.redirect_stdout(out):  # what a model prints must not come into the JSON
        report = check_model(
            model,
            device=hardware.device,
            cache=places.cache,
            pretrain=pretrain,
            deadline=deadline,
            find=find,
            before=before,
            after=after,
        )
    if as_json:
        print_json(report)
    else:
        if report.labels:
            tell(*map_lines(report.labels))
        tell(report.summary())
    return 1 if report.failures or not report.was_asked else 0


def new_model(name: str, *, out: Folder = Path()) -> int:
    """Write a small package with a model that runs as it is, to start from.

    Parameters
    ----------
    name
        Of the model: small letters, digits, - and _.
    out
        Folder to write it into.
    """
    from benchmark.models.scaffold import write_package

    package = write_package(name, out)
    tell(
        f"{package.folder} is written: a model that runs. Next:",
        f"  leadboard check {package.spec}",
        f"  leadboard run --data DATA --model {package.spec}",
    )
    return 0


def new_labels(names: File, *, out: NewFile = Path("labels.csv"), vocabulary: str | None = None) -> int:
    """Start a map of your model's own labels: each is looked up, and what is not certain is left to you.

    Parameters
    ----------
    names
        Text file with one label a line, in the order of your model's columns.
    out
        File to write the map into.
    vocabulary
        Whose codes the labels are, such as scp or snomed: then its rows say what they mean.
    """
    from benchmark.models.label_start import read_names, start_map

    own = read_names(names)
    start = start_map(own, vocabulary)
    try:
        with out.open("x", encoding="utf-8", newline="") as file:
            file.write(start.text())
    except FileExistsError:
        raise UsageError(f"{out} is there already; choose another --out.") from None
    except OSError as error:
        raise UsageError(f"{out} cannot be written ({error.strerror}); choose another --out.") from None
    counts = Counter(relation or "to be decided" for *_, relation, _ in start.rows)
    rows = ", ".join(f"{count} {relation}" for relation, count in counts.items())
    tell(f"{out}: {plural(len(own), 'label')}, {plural(len(start.rows), 'row')}: {rows}.")
    for name, count in start.vocabularies.items():
        tell(
            f"{plural(count, 'of them is a code', 'of them are codes')} of {name}: if that is what they are, "
            f"add --vocabulary {name}."
        )
    if start.undecided:
        tell("To be decided, as 'leadboard check' will say until it is:")
        alike: dict[tuple[str, str], list[str]] = {}
        for label, concept, _, note in start.undecided:
            alike.setdefault((f" -> {concept}" if concept else "", note), []).append(label)
        tell(*(visible(f"  {', '.join(some)}{of}: {note}") for (of, note), some in alike.items()))
    return 0
