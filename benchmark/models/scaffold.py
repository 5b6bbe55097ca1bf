"""A package to start a model from: `leadboard new-model`."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from string import Template

from benchmark.models.plugins import installed_models
from benchmark.text import visible
from cohorts.errors import UsageError

TEMPLATES = Path(__file__).with_name("scaffold_files")
NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
LONGEST = 40


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
    module, folder = _module(name), out / name
    class_name = "".join(part.capitalize() for part in module.split("_"))
    words = {"name": name, "module": module, "class_name": class_name}
    files = {
        "pyproject.toml": "pyproject.toml",
        "README.md": "README.md",
        f"{module}/__init__.py": "init.py",
        f"{module}/model.py": "model.py",
        "tests/test_model.py": "test_model.py",
    }
    if folder.exists():
        raise UsageError(f"{folder} is there already; choose another name or remove it.")
    try:
        out.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
        for path, template in files.items():
            text = Template((TEMPLATES / f"{template}.template").read_text("utf-8")).substitute(words)
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(f"{folder} cannot be written ({error.strerror}); choose another --out.") from None
    return Package(folder, f"{folder / module / 'model.py'}:{class_name}")


def _module(name: str) -> str:
    """Give the name of the Python package, or say why there can be none."""
    if not NAME.fullmatch(name) or len(name) > LONGEST:
        shown = visible(name[:LONGEST])
        raise UsageError(
            f"'{shown}' cannot be the name of a model; take small letters, digits, - and _, such as my-model."
        )
    if name in installed_models():
        raise UsageError(f"There is a model '{name}' already; choose another name.")
    module = name.replace("-", "_")
    if keyword.iskeyword(module) or module == "tests":
        raise UsageError(f"'{module}' cannot be the name of a Python package; choose another.")
    taken = find_spec(module)
    if taken is not None and taken.origin is not None:  # None for a folder that is no package
        raise UsageError(f"'{module}' is the name of a Python package that is here already; choose another.")
    return module
