"""Finding an official file: by its path, in a folder, or on the hub."""

from __future__ import annotations

import re
from pathlib import Path

from baselines.clip_image.hub import quiet
from benchmark.text import some
from cohorts.errors import ModelError, UsageError


def located(file: str, name: str) -> Path:
    """Find the file that a user means.

    Parameters
    ----------
    file
        A file, a folder, or a hub id, optionally with ``@revision``.
    name
        Of the file in a folder or on the hub.

    Raises
    ------
    UsageError
        If it is neither.
    ModelError
        If a folder or the hub does not have the file, or the hub cannot be reached.
    """
    path = Path(file).expanduser()
    if path.is_file():
        return path
    if path.is_dir():
        return _in_folder(path, name)
    if name and not path.is_absolute() and re.fullmatch(r"[\w-][\w.-]*/[\w.-]+(@[\w./-]+)?", file):
        return _from_hub(file, name)
    beside = f" in {path.parent}, {_described(path.parent)}" if path.parent.is_dir() else ""
    raise UsageError(f"There is no file {file}{beside}: give the file that the authors published.")


def _in_folder(folder: Path, name: str) -> Path:
    if name and (folder / name).is_file():
        return folder / name
    if name:
        raise ModelError(f"{folder} is a folder without {name}, {_described(folder)}: give the file itself.")
    raise ModelError(
        f"{folder} is a folder, {_described(folder)}, and the file of this model goes by any name: give the "
        "file itself."
    )


def _described(folder: Path) -> str:
    """Say which files are in a folder, but for hidden ones."""
    try:
        names = sorted(path.name for path in folder.iterdir() if path.is_file() and path.name[0] != ".")
    except OSError:
        return "which cannot be looked into"
    return f"in which {'lie ' + some(names) if names else 'no file lies'}"


def _from_hub(file: str, name: str) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError

    source, _, revision = file.partition("@")
    try:
        with quiet():
            return Path(hf_hub_download(source, name, revision=revision or None))
    except Exception as error:  # of the hub's library and those below it
        there = isinstance(error, EntryNotFoundError | HfHubHTTPError)
        if there and not isinstance(error, LocalEntryNotFoundError):
            raise ModelError(
                f"{file}: the hub has no {name} there, or shows it to nobody without a login."
            ) from error
        raise ModelError(
            f"{file} is no file here and the hub cannot be reached: "
            f"download {name} elsewhere and give its path."
        ) from error
