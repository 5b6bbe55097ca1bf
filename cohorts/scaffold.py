"""What to start from: a description or a package of a cohort (`new-cohort`), and what packages share."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from string import Template

from cohorts.catalogue import all_cohorts
from cohorts.errors import UsageError
from cohorts.own.recognition.codes import rows_to_fill_in
from cohorts.own.recognition.filling import filled
from cohorts.own.recognition.labels import VOCABULARY
from cohorts.own.recognition.recognise import Recognised
from cohorts.tasks import all_tasks

TEMPLATES = Path(__file__).with_name("scaffold_files")
LONGEST = 40

_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def write_cohort_package(name: str, out: Path) -> Path:
    """Write a package with a cohort that can be read as it is, and give its folder.

    Parameters
    ----------
    name
        Id of the cohort, and name of the package and of the folder.
    out
        Where the folder is to be made.

    Raises
    ------
    UsageError
        If the name will not do, the folder is there already, or it cannot be written.
    """
    _check_id(name)
    module = package_name(name)
    words = {"name": name, "module": module, "class_name": class_name(module)}
    files = {
        "pyproject.toml": "pyproject.toml",
        "README.md": "README.md",
        f"{module}/__init__.py": "init.py",
        f"{module}/cohort.py": "cohort.py",
        f"{module}/codes.csv": "codes.csv",
        "tests/test_cohort.py": "test_cohort.py",
    }
    write_package(out / name, TEMPLATES, files, words)
    return out / name


def write_description(name: str, folder: Path, found: Recognised | None = None) -> Path:
    """Write a commented ``cohort.toml`` into a folder, beside the data, and give its path.

    Codes whose meaning has to be stated are written beside it, as a vocabulary to fill in; one that is there
    is left alone.

    Parameters
    ----------
    name
        Id of the cohort.
    found
        What its table says, to be filled in.

    Raises
    ------
    UsageError
        If the name will not do, there is a description already, or it cannot be written.
    """
    _check_id(name)
    file = folder / "cohort.toml"
    words = {"name": name, "title": name.replace("-", " ").capitalize(), "file": file.as_posix()}
    text = Template((TEMPLATES / "cohort.toml.template").read_text("utf-8")).substitute(words)
    if found is not None:
        text = filled(text, found)
    if file.exists():
        raise UsageError(f"{file} is there already; edit it, or choose another --out.")
    if found is not None and found.codes and not (folder / VOCABULARY).exists():
        _write_new(folder / VOCABULARY, rows_to_fill_in(found.codes))
    _write_new(file, text)
    return file


def _write_new(file: Path, text: str) -> None:
    """Write a file that is not there yet."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as written:
            written.write(text)
    except FileExistsError:
        raise UsageError(f"{file} is there already; move it away, or choose another --out.") from None
    except OSError as error:
        raise UsageError(f"{file} cannot be written ({error.strerror}); choose another --out.") from None


def _check_id(name: str) -> None:
    if not _ID.fullmatch(name) or len(name) > LONGEST:
        raise UsageError(
            f"{name[:LONGEST]!a} cannot be the id of a cohort; take small letters, digits and -, such as "
            f"my-release."
        )
    if name in all_cohorts() or name in all_tasks():
        raise UsageError(f"There is a cohort or a task '{name}' already; choose another name.")


def package_name(name: str) -> str:
    """Give the name of the Python package of something with this name.

    Raises
    ------
    UsageError
        If there can be none.
    """
    module = name.replace("-", "_")
    if keyword.iskeyword(module) or module == "tests":
        raise UsageError(f"'{module}' cannot be the name of a Python package; choose another.")
    taken = find_spec(module)
    if taken is not None and taken.origin is not None:  # None for a folder that is no package
        raise UsageError(f"'{module}' is the name of a Python package that is here already; choose another.")
    return module


def class_name(module: str) -> str:
    """Give the name of the class in a package: ``MyRelease`` in ``my_release``."""
    return "".join(part.capitalize() for part in module.split("_"))


def write_package(folder: Path, templates: Path, files: Mapping[str, str], words: Mapping[str, str]) -> None:
    """Write a folder of files from templates.

    Parameters
    ----------
    folder
        Which is made here, with those above it.
    templates
        Folder of the templates, each with ``.template`` at the end of its name.
    files
        Path below the folder -> name of its template.
    words
        What stands for the ``$words`` of the templates.

    Raises
    ------
    UsageError
        If the folder is there already, or cannot be written.
    """
    if folder.exists():
        raise UsageError(f"{folder} is there already; choose another name or remove it.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
        for path, template in files.items():
            text = Template((templates / f"{template}.template").read_text("utf-8")).substitute(words)
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(f"{folder} cannot be written ({error.strerror}); choose another --out.") from None
