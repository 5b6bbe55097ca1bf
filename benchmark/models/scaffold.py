"""A package to start a model from: `leadboard new-model`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from benchmark.models.plugins import installed_models
from benchmark.text import visible
from cohorts.errors import UsageError
from cohorts.scaffold import LONGEST, class_name, package_name
from cohorts.scaffold import write_package as write_files

TEMPLATES = Path(__file__).with_name("scaffold_files")
NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Package:
    """A package that was written.

    Attributes
    ----------
    spec
        What ``--model`` takes.
    """

    folder: Path
    spec: str


def write_package(name: str, out: Path) -> Package:
    """Write a package with a model that runs.

    Parameters
    ----------
    name
        Of the model, of the package, and of the folder.
    out
        Where the folder is to be made.

    Raises
    ------
    UsageError
        If the name will not do, the folder is there already, or it cannot be written.
    """
    _check(name)
    module, folder = package_name(name), out / name
    words = {"name": name, "module": module, "class_name": class_name(module)}
    files = {
        "pyproject.toml": "pyproject.toml",
        "README.md": "README.md",
        f"{module}/__init__.py": "init.py",
        f"{module}/model.py": "model.py",
        "tests/test_model.py": "test_model.py",
    }
    write_files(folder, TEMPLATES, files, words)
    return Package(folder, f"{folder / module / 'model.py'}:{words['class_name']}")


def _check(name: str) -> None:
    """Refuse a name that no model can have, or that one has already."""
    if not NAME.fullmatch(name) or len(name) > LONGEST:
        shown = visible(name[:LONGEST])
        raise UsageError(
            f"'{shown}' cannot be the name of a model; take small letters, digits, - and _, such as my-model."
        )
    if name in installed_models():
        raise UsageError(f"There is a model '{name}' already; choose another name.")
