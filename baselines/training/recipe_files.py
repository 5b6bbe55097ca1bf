"""Recipes as TOML tables: a model's own, completed by what somebody else wants, checked word by word."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import ValidationError

from baselines.training.recipes import Augmentation, PretrainRecipe, Recipe
from benchmark.text import printable
from cohorts.errors import UsageError

Tables = Mapping[str, Mapping[str, Any]]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Recipes:
    """Everything that decides how a model with a dual encoder is trained.

    Attributes
    ----------
    pretraining, fine_tuning
        The table ``[pretraining]`` and the table ``[fine-tuning]``.
    augmentation
        The table ``[augmentation]``, of both; None for a model that has its own way and takes no such table.
    """

    pretraining: PretrainRecipe
    fine_tuning: Recipe
    augmentation: Augmentation | None = None

    @classmethod
    def packaged(cls, name: str, *files: Path) -> Self:
        """Read a model's own recipe; each further file has what is different."""
        tables: dict[str, dict[str, Any]] = {}
        for file in files:
            for table, entries in tomllib.loads(file.read_text(encoding="utf-8")).items():
                tables[table] = tables.get(table, {}) | entries
        return cls(
            _checked(PretrainRecipe, "pretraining", {"name": name, **tables["pretraining"]}),
            _checked(Recipe, "fine-tuning", {"name": name, **tables["fine-tuning"]}),
            _checked(Augmentation, "augmentation", tables["augmentation"]),
        )

    @property
    def tables(self) -> dict[str, dict[str, Any]]:
        """The recipe as a file would have it, without the model's name."""
        parts = {
            "pretraining": self.pretraining,
            "augmentation": self.augmentation,
            "fine-tuning": self.fine_tuning,
        }
        return {
            table: {key: value for key, value in asdict(part).items() if key != "name"}
            for table, part in parts.items()
            if part is not None
        }

    def with_changes(self, given: Tables) -> Recipes:
        """Replace what is given, and keep the rest.

        Raises
        ------
        UsageError
            If a table or a key is unknown, or a value is out of its range.
        """
        known, name = self.tables, self.pretraining.name
        for table, entries in given.items():
            if table not in known:
                raise UsageError(f"A recipe of {name} has no table '{_shown(table)}'{_near(table, known)}")
            if not isinstance(entries, Mapping):
                raise UsageError(
                    f"'{table}' in a recipe of {name} is a table: write [{table}] above its keys."
                )
            for key in entries:
                if key not in known[table]:
                    raise UsageError(
                        f"[{table}] in a recipe of {name} has no '{_shown(key)}'{_near(key, known[table])}"
                    )
        new = {table: {**entries, **given.get(table, {})} for table, entries in known.items()}
        augmentation = new.get("augmentation")
        return Recipes(
            _checked(PretrainRecipe, "pretraining", {"name": name, **new["pretraining"]}),
            _checked(Recipe, "fine-tuning", {"name": name, **new["fine-tuning"]}),
            None if augmentation is None else _checked(Augmentation, "augmentation", augmentation),
        )


def _checked(kind: Callable[..., T], table: str, entries: Mapping[str, Any]) -> T:
    try:
        return kind(**entries)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise UsageError(
            f"[{table}] {key} = {_shown(first['input'])} in the recipe: {printable(first['msg'], 120)}."
        ) from None


def _near(word: str, known: Mapping[str, object]) -> str:
    near = get_close_matches(word, known, n=1)
    hint = f", did you mean '{near[0]}'? There are" if near else "; there are"
    return f"{hint}: {', '.join(known)}."


def _shown(value: object) -> str:
    return printable(str(value), 60)
