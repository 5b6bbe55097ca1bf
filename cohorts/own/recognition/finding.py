"""What a table says of one setting of ``cohort.toml``, and how its column is chosen."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from cohorts.own.recognition import column_names as known


@dataclass(frozen=True)
class Finding:
    """What a table says of one setting.

    Attributes
    ----------
    setting
        Its table and key in ``cohort.toml``, such as ``"cohort.age"``.
    columns
        Columns that it is, or of which it may be one.
    value
        As TOML; empty where nothing is claimed.
    why
        A sentence without its full stop.
    """

    setting: str
    columns: tuple[str, ...]
    value: str
    why: str


def text(words: str) -> str:
    """Write a string of TOML."""
    return json.dumps(words, ensure_ascii=False).replace("\x7f", "\\u007f")


def called(cells: pd.DataFrame, names: str) -> list[str]:
    """List the columns that are called by one of these names, in whatever spelling."""
    meant = known.are_called(names)
    return [str(name) for name in cells.columns if known.letters(str(name)) in meant]


def only_one(
    setting: str, cells: pd.DataFrame, names: str, fits: Callable[[pd.Series[str]], bool], is_what: str
) -> Finding:
    """Choose the only column of these names whose cells fit; none where several do."""
    meant = called(cells, names)
    fitting = [name for name in meant if fits(cells[name])]
    if len(fitting) == 1:
        return Finding(setting, (fitting[0],), text(fitting[0]), f"Called so; {is_what}")
    if fitting:
        return Finding(setting, tuple(fitting), "", "Several may be meant, so none is chosen")
    if meant:
        return Finding(setting, tuple(meant), "", f"Called so, but not: {is_what}")
    return Finding(setting, (), "", "No column is called so")
