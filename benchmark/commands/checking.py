"""Commands for authors of models: check, new-model."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from benchmark.commands.options import CacheOption, JsonOption
from benchmark.config import find_places

WIDTH = 22
"""Of the column of names."""


def check(
    model: str,
    *,
    device: str = "cpu",
    pretrain: bool = False,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> int:
    """Check a model against the whole contract on a mock cohort; no data are needed.

    Parameters
    ----------
    model
        Name, path/to/file.py:Class or package.module:Class.
    device
        Torch device, such as cpu or cuda.
    pretrain
        Try pre-training even if the model is large.
    cache
        Folder that published weights were installed in (or LEADBOARD_CACHE).
    as_json
        Print JSON.
    """
    from benchmark.conformance import CheckResult, check_model
    from benchmark.models.label_map import map_lines
    from benchmark.protocols.hardware import Hardware

    Hardware(device=device).check()
    out = sys.stderr if as_json else sys.stdout

    def before(name: str) -> None:
        print(f"{name:{WIDTH}}", end="", file=out, flush=True)

    def after(result: CheckResult) -> None:
        print(result.text(), file=out, flush=True)

    places = find_places(None, cache)
    with contextlib.redirect_stdout(out):  # what a model prints must not come into the JSON
        report = check_model(
            model, device=device, cache=places.cache, pretrain=pretrain, before=before, after=after
        )
    if as_json:
        print(report.model_dump_json(indent=2))
    else:
        if report.labels:
            print(*map_lines(report.labels), sep="\n")
        print(report.summary())
    return 1 if report.failures else 0


def new_model(name: str, *, out: Path = Path()) -> int:
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
    print(f"{package.folder} is written: a model that runs. Next:")
    print(f"  leadboard check {package.spec}")
    print(f"  leadboard run --data DATA --model {package.spec}")
    return 0
