"""What a run is to do: one set of options, on the command line and as ``[run]`` of the configuration file."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from pydantic import ConfigDict, TypeAdapter, ValidationError

from benchmark.commands.elsewhere import HERE, ElsewhereOptions
from benchmark.commands.options import (
    File,
    Folder,
    ModelNames,
    Precision,
    Repeated,
    Resamples,
    Seconds,
    Seed,
    Seeds,
    TrainPrecision,
    Windows,
    Workers,
    noting_given,
)
from benchmark.commands.toml_text import toml
from benchmark.config import CONFIG_FILE, DEFAULT_RUN, ConfigFile, Places, wrong_entry
from benchmark.files import from_home, write_atomically
from benchmark.metrics.names import Metric
from benchmark.text import printable
from cohorts.errors import UsageError

DEFAULT_SOURCE = "ptb-xl"

KEPT = "config.toml"
"""In the folder of a run: what its latest call was to do."""


@Parameter(name="*")
@dataclass(frozen=True)
class Study:
    """What a run is to do.

    Attributes
    ----------
    models
        Name, path/to/file.py:Class or package.module:Class; may be repeated. All installed ones if not given.
    cohorts
        Cohorts, or sets of [cohort_sets], separated by commas or repeated. All on this machine if not given.
    task
        Published task instead of cohorts, such as ptbxl-super; 'leadboard tasks' lists them.
    protocols
        Such as zero-shot,linear-probe-10, or repeated. Each model's usual ones if not given.
    subgroups
        Measure women and men ("sex"), age bands ("age") or both; may be repeated. Both if not given.
    concept_set
        Rank within a set of concepts, as for 'leadboard report'.
    concepts
        Rank by these concepts alone, separated by commas or repeated; every concept is measured.
    rank_by
        What models are ranked by: auroc or auprc. The page shows both.
    out
        Folder of the run.
    source
        Cohort that labels are learnt from.
    pretrain_on
        Cohorts that models are pre-trained on, separated by commas or repeated. The source if not given.
    records
        Score "all" records or the "test" fold in every cell. By default internal cells take the test fold.
    seeds
        Seed of trainings; may be repeated: what is learnt is learnt once from each, and metrics are averaged.
        The first is that of the bootstrap and of pre-training too.
    resamples
        Bootstrap resamples.
    device
        Torch device, such as cpu or cuda; "auto" takes a GPU where there is one.
    precision
        Of scores. With bf16, networks compute in bfloat16, and the record says how far scores moved.
    train_precision
        Of trainings; "auto" takes bf16-mixed on a GPU that has it, 32-true elsewhere.
    recipe
        TOML file with the hyper-parameters of the pre-training, as for 'leadboard pretrain'.
    batch_size
        Windows per batch; "auto" takes 64, and on a GPU as many as its memory holds.
    workers
        Threads that prepare signals; one for each processor if not given.
    deadline
        Seconds that a model may take for a batch.
    elsewhere
        Where models run that are not to run in this process.
    engine
        Where cells are computed: "local" one after the other here, "ray" several at once, one on each GPU.
    address
        Ray cluster, or "auto" for the one that this machine is part of. One on this machine if not given.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    models: Annotated[ModelNames, Parameter(name="--model")] = ()
    cohorts: Annotated[Repeated, Parameter(name="--cohort")] = ()
    task: str | None = None
    protocols: Annotated[Repeated, Parameter(name="--protocol")] = ()
    subgroups: Annotated[
        tuple[Literal["sex", "age"], ...], Parameter(name="--subgroup", negative=(), show_default=False)
    ] = ("sex", "age")
    concept_set: str | None = None
    concepts: Annotated[Repeated, Parameter(name="--concept")] = ()
    rank_by: Metric = "auroc"
    out: Folder = DEFAULT_RUN
    source: str = DEFAULT_SOURCE
    pretrain_on: Repeated = ()
    records: Literal["all", "test"] | None = None
    seeds: Seeds = (0,)
    resamples: Resamples = 10_000
    device: str = "auto"
    precision: Precision = "float32"
    train_precision: TrainPrecision = "auto"
    recipe: File | None = None
    batch_size: Windows = "auto"
    workers: Workers | None = None
    deadline: Seconds = 300.0
    elsewhere: ElsewhereOptions = HERE
    engine: Literal["local", "ray"] = "local"
    address: str | None = None


noting_given(Study)
NOTHING_ASKED = Study()

Sets = Mapping[str, Mapping[str, Sequence[str]]]
"""Own sets, by ``concept_sets`` and ``cohort_sets``."""

_LISTS = ("models", "cohorts", "protocols", "subgroups", "concepts", "seeds")
"""Entries that the command line names one at a time, without the s."""


def in_force(typed: Study, file: ConfigFile, config: Path | None) -> tuple[Study, list[str]]:
    """Put what was typed over what the configuration file says.

    Returns
    -------
    tuple
        What is in force, and a sentence for each entry of the file that is not.

    Raises
    ------
    UsageError
        If the file has an entry that it cannot have.
    """
    path = config or CONFIG_FILE
    table = _with_seeds(file.run, printable(str(path), 200))
    written = _read(table, path)
    said = [goes_before(option, config, new, old) for option, new, old in _differences(typed, written, table)]
    elsewhere = replace(written.elsewhere, **_given(typed.elsewhere))
    return replace(written, **{**_given(typed), "elsewhere": elsewhere}), said


def goes_before(option: str, config: Path | None, typed: object, stated: object) -> str:
    """Say that what was typed goes before what the configuration file says."""
    file = printable(str(config or CONFIG_FILE), 200)
    return f"{option} goes before {file}: {_shown(typed)}, not {_shown(stated)}."


def _given(typed: Any) -> dict[str, Any]:
    return {name: getattr(typed, name) for name in typed.given}


def _differences(typed: Any, written: Any, entries: dict[str, Any]) -> Iterator[tuple[str, object, object]]:
    for name in sorted(typed.given & entries.keys()):
        new, old = getattr(typed, name), getattr(written, name)
        if isinstance(new, ElsewhereOptions):
            yield from _differences(new, old, entries[name])
        elif new != old:
            option = name.removesuffix("s") if name in _LISTS else name
            yield f"--{option.replace('_', '-')}", new, old


def _shown(value: object) -> str:
    listed = value if isinstance(value, tuple) else (value,)
    return printable(", ".join(map(str, listed)), 80)


def _read(table: dict[str, Any], path: Path) -> Study:
    """Check the table as strictly as JSON is: no text for a number, and no number for text."""
    shown = printable(str(path), 200)
    if table.get("precision") in ("32-true", "bf16-mixed"):  # as earlier versions call that of trainings
        table = {"train_precision": table["precision"]} | {
            name: value for name, value in table.items() if name != "precision"
        }
    moved = _moved(table, lambda given: os.path.normpath(path.parent / from_home(given)))
    try:
        return TypeAdapter(Study).validate_json(json.dumps(moved), strict=True)
    except ValidationError as error:
        inner = error.errors()[0]["loc"][:1] == ("elsewhere",)
        known = [field.name for field in fields(ElsewhereOptions if inner else Study)]
        raise wrong_entry(shown, error, "run", known) from None
    except TypeError:
        raise _dated(shown) from None


def _with_seeds(table: dict[str, Any], shown: str) -> dict[str, Any]:
    """Give the table with ``seeds`` for the one ``seed`` that it may have instead."""
    moved = {name: value for name, value in table.items() if name != "seed"}
    if moved.get("seeds") == []:
        del moved["seeds"]
    if "seed" not in table:
        return moved
    if "seeds" in table:
        raise UsageError(f"{shown} has both seed and seeds in [run]; leave one of them out.")
    try:
        return moved | {"seeds": [TypeAdapter(Seed).validate_json(json.dumps(table["seed"]), strict=True)]}
    except ValidationError as error:
        raise wrong_entry(shown, error, "run.seed", ()) from None
    except TypeError:
        raise _dated(shown) from None


def _dated(shown: str) -> UsageError:
    return UsageError(f"{shown} has a date or a time in [run], which takes none; write text.")


def _moved(table: dict[str, Any], move: Callable[[str], str]) -> dict[str, Any]:
    """Move every path in the table: models that are files, other files and folders, and an interpreter."""
    moved = dict(table)
    for name in ("out", "recipe"):
        if isinstance(table.get(name), str):
            moved[name] = move(table[name])
    if isinstance(table.get("models"), list | tuple):
        moved["models"] = [_moved_model(one, move) for one in table["models"]]
    elsewhere = table.get("elsewhere")
    if isinstance(elsewhere, dict):
        python = elsewhere.get("python")
        if isinstance(python, str) and "/" in python:
            moved["elsewhere"] = elsewhere | {"python": move(python)}
    return moved


def _moved_model(spec: object, move: Callable[[str], str]) -> object:
    where, _, name = str(spec).rpartition(":")
    return f"{move(where)}:{name}" if where.endswith(".py") else spec


def text_of(study: Study, sets: Sets, places: Places) -> str:
    """Write what is in force as a configuration file of the working folder, which is read to the same."""
    return toml({**places.as_entries(), **sets, "run": _plain(study)})


def keep(study: Study, sets: Sets, folder: Path) -> None:
    """Write into the folder of a run what it was to do; where this machine has its data is no part of it."""
    here, home = Path.cwd(), Path(os.path.expanduser("~"))  # noqa: PTH111 - Path's has to exist

    def moved(given: str) -> str:
        path = here / given
        if path.is_relative_to(here):
            return os.path.relpath(path, folder)
        return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)

    write_atomically(folder / KEPT, toml({**sets, "run": _moved(_plain(study), moved)}))


def _plain(options: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in fields(options):
        value = getattr(options, field.name)
        if isinstance(value, ElsewhereOptions):
            value = {} if value == HERE else _plain(value)
        found[field.name] = str(value) if isinstance(value, Path) else value
    return found
