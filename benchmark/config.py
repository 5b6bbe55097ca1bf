"""Where data and caches are: options, then environment, then ``leadboard.toml``."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from cohorts.errors import UsageError

CONFIG_FILE = Path("leadboard.toml")


class ConfigFile(BaseModel):
    """``leadboard.toml`` in the working folder; every entry is optional.

    Attributes
    ----------
    data, cache
        As ``--data`` and ``--cache``; relative paths are relative to the file.
    folders
        Cohort id -> folder, for releases that lie elsewhere.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: Path | None = None
    cache: Path | None = None
    folders: dict[str, Path] = {}


@dataclass(frozen=True, slots=True)
class Places:
    """Resolved folders.

    Attributes
    ----------
    data
        Root of the releases, if any was named.
    cache
        For stores and trained models; created on first use.
    folders
        Cohort id -> folder of a release that lies outside of ``data``.
    """

    data: Path | None
    cache: Path
    folders: Mapping[str, Path] = field(default_factory=dict)


def find_places(data: Path | None = None, cache: Path | None = None) -> Places:
    """Resolve the folders of a call.

    Raises
    ------
    UsageError
        If a named folder is not there or the configuration file is not valid.
    """
    settings = _read_config()
    base = CONFIG_FILE.absolute().parent
    chosen = data or _from_environment("LEADBOARD_DATA") or (settings.data and base / settings.data)
    if chosen is not None and not chosen.is_dir():
        raise UsageError(f"No folder {chosen}; give the folder that holds the releases with --data.")
    for cohort, folder in settings.folders.items():
        from cohorts.catalogue import find_cohort

        find_cohort(cohort)
        if not (base / folder).is_dir():
            raise UsageError(f"{CONFIG_FILE} says that {cohort} is in {folder}, but there is no such folder.")
    user_cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "leadboard"
    stores = (
        cache
        or _from_environment("LEADBOARD_CACHE")
        or (settings.cache and base / settings.cache)
        or user_cache
    )
    folders = {cohort: base / folder for cohort, folder in settings.folders.items()}
    return Places(chosen and chosen.absolute(), stores.expanduser().absolute(), folders)


def _from_environment(name: str) -> Path | None:
    value = os.environ.get(name)
    return Path(value) if value else None


def _read_config() -> ConfigFile:
    if not CONFIG_FILE.is_file():
        return ConfigFile()
    try:
        return ConfigFile.model_validate(tomllib.loads(CONFIG_FILE.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{CONFIG_FILE} is not valid TOML: {error}.") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{CONFIG_FILE} has a wrong entry: {where}: {first['msg']}.") from None
