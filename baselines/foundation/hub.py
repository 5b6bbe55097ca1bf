"""Finding an official file: by its path, in a folder, or on the hub."""

from __future__ import annotations

import re
from pathlib import Path

from baselines.clip_image.hub import quiet
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
    raise UsageError(f"There is no file {file}: give the file that the authors published.")


def _in_folder(folder: Path, name: str) -> Path:
    if not (name and (folder / name).is_file()):
        raise ModelError(f"{folder} is a folder without {name or 'a known file'}: give the file itself.")
    return folder / name


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
