"""The configuration file: where data and caches are, own sets, and what a run is to do.

Options go before it, and before what it says of places the environment.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from benchmark.files import from_home, is_file, is_folder, why_no_folder
from benchmark.text import printable
from cohorts.errors import UnknownNameError, UsageError

CONFIG_FILE = Path("leadboard.toml")

DEFAULT_RUN = Path("results/runs/local")
"""Where a run lies if nobody says."""

LARGEST = 256 * 1024
"""Bytes of the configuration file, which has a line for each cohort."""


class ConfigFile(BaseModel):
    """``leadboard.toml`` in the working folder, or the file that a call names; every entry is optional.

    Attributes
    ----------
    data, cache
        As ``--data`` and ``--cache``; relative paths are relative to the file, ``~`` is the home folder.
    folders
        Cohort id -> folder, for releases that lie elsewhere.
    cohorts
        Cohort id -> ``cohort.toml``, for a hospital's own.
    fingerprints
        Files of fingerprints of cohorts that are not here, as ``--fingerprints``.
    concept_sets, cohort_sets
        Own sets to rank within: name -> concepts, name -> cohorts.
    run
        What a run is to do, by the names in `benchmark.commands.study`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: Path | None = None
    cache: Path | None = None
    folders: dict[str, Path] = {}
    cohorts: dict[str, Path] = {}
    fingerprints: tuple[Path, ...] = ()
    concept_sets: dict[str, tuple[str, ...]] = {}
    cohort_sets: dict[str, tuple[str, ...]] = {}
    run: dict[str, Any] = {}


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
    own
        The hospital's own cohorts: id -> ``cohort.toml``.
    fingerprints
        Files of fingerprints of cohorts that are not here.
    """

    data: Path | None
    cache: Path
    folders: Mapping[str, Path] = field(default_factory=dict)
    own: Mapping[str, Path] = field(default_factory=dict)
    fingerprints: tuple[Path, ...] = ()

    @property
    def have_releases(self) -> bool:
        """Whether they say where any release is."""
        return self.data is not None or bool(self.folders or self.own)

    def as_entries(self) -> dict[str, Any]:
        """Give what a configuration file of the working folder would say of them."""
        here = Path.cwd()

        def written(path: Path) -> str:
            return str(path.relative_to(here) if path.is_relative_to(here) else path)

        entries: dict[str, Any] = {"data": self.data and written(self.data), "cache": written(self.cache)}
        with suppress(UsageError):  # without a home folder there is no usual cache
            if self.cache == _user_cache().absolute():
                del entries["cache"]
        entries["fingerprints"] = [written(path) for path in self.fingerprints]
        for name, paths in (("folders", self.folders), ("cohorts", self.own)):
            entries[name] = {cohort: written(path) for cohort, path in paths.items()}
        return entries


def find_places(
    data: Path | None = None,
    cache: Path | None = None,
    cohort_files: Sequence[Path] = (),
    fingerprints: Sequence[Path] = (),
    config: Path | None = None,
) -> Places:
    """Resolve the folders of a call, and make the hospital's own cohorts known that it names.

    Parameters
    ----------
    cohort_files
        Descriptions of cohorts (``cohort.toml``), beside those that the configuration file names.
    fingerprints
        Files of fingerprints, beside those that the configuration file names.
    config
        The configuration file, if it is not ``leadboard.toml``.

    Raises
    ------
    UsageError
        If a named folder or file is not there, a file is in the place of the cache, or the configuration file
        is not valid.
    """
    file = config or CONFIG_FILE
    settings, base, shown = read_config(config), file.absolute().parent, _shown(file)
    chosen = (
        data or _from_environment("LEADBOARD_DATA") or (settings.data and base / from_home(settings.data))
    )
    if chosen is not None:
        chosen = from_home(chosen)
        if not is_folder(chosen):
            raise UsageError(
                f"No folder {_shown(chosen)}; give the folder that holds the releases with --data."
            )
    own = _register_own(settings.cohorts, file, cohort_files)
    folders = {cohort: base / from_home(folder) for cohort, folder in settings.folders.items()}
    for cohort, folder in folders.items():
        from cohorts.catalogue import broken_cohorts, find_cohort

        if cohort not in broken_cohorts():  # one that an installed package breaks stops nobody
            try:
                find_cohort(cohort)
            except UsageError as error:
                raise UsageError(f"{shown} has a folder for a cohort that there is not. {error}") from None
        if not is_folder(folder):
            raise UsageError(
                f"{shown} says that {cohort} is in {_shown(folder)}, but there is no such folder."
            )
    named = (
        cache or _from_environment("LEADBOARD_CACHE") or (settings.cache and base / from_home(settings.cache))
    )
    stores = from_home(named or _user_cache()).absolute()
    why = why_no_folder(stores) if named else ""  # the usual place may never be needed
    if why:
        raise UsageError(f"The cache cannot be in {_shown(stores)}: {why}; name another folder with --cache.")
    shared = (*fingerprints, *(base / from_home(path) for path in settings.fingerprints))
    for path in shared:
        if not is_file(path):
            raise UsageError(
                f"No file of fingerprints {_shown(path)}; correct --fingerprints, or the entry in {shown}."
            )
    whole = tuple(dict.fromkeys(path.absolute() for path in shared))
    return Places(chosen and chosen.absolute(), stores, folders, own, whole)


def _register_own(named: Mapping[str, Path], file: Path, cohort_files: Sequence[Path]) -> dict[str, Path]:
    """Put the hospital's own cohorts into the catalogue; nothing is imported where there are none."""
    if not (named or cohort_files):
        return {}
    from cohorts.catalogue import register
    from cohorts.own.cohort import home_of, own_cohort

    own: dict[str, Path] = {}
    base = file.absolute().parent
    for expected, path in [*named.items(), *((None, path) for path in cohort_files)]:
        cohort = own_cohort(base / from_home(path) if expected else from_home(path).absolute())
        if expected not in (None, cohort.card.id):
            raise UsageError(
                f"{_shown(file)} calls the cohort of {_shown(path)} '{expected}', but its id is "
                f"'{cohort.card.id}'; write the same in both."
            )
        if own.setdefault(cohort.card.id, cohort.file) != cohort.file:
            raise UsageError(
                f"{_shown(own[cohort.card.id])} and {_shown(cohort.file)} both describe a cohort "
                f"'{cohort.card.id}'; give one of them another id."
            )
        register(cohort, home_of(cohort))
    return own


def _shown(path: Path) -> str:
    return printable(str(path), 200)


def _user_cache() -> Path:
    caches = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(caches) if caches else Path.home() / ".cache") / "leadboard"
    except RuntimeError:
        raise UsageError("No home folder is known here; say with --cache where stores may be kept.") from None


def _from_environment(name: str) -> Path | None:
    value = os.environ.get(name)
    return Path(value) if value else None


def own_sets(config: Path | None = None) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """Give the sets of concepts and of cohorts that the configuration file names.

    Raises
    ------
    UsageError
        If it is not valid, or one of them is empty or has a name that cannot be shown.
    """
    found = read_config(config)
    for name, members in (*found.concept_sets.items(), *found.cohort_sets.items()):
        if not members or not name.strip() or name != printable(name, 80):
            raise UsageError(
                f"{_shown(config or CONFIG_FILE)} has a set '{printable(name, 80)}' without members or with "
                "an unusual name; give it a name of printable characters and what is in it."
            )
    return found.concept_sets, found.cohort_sets


def read_config(config: Path | None = None) -> ConfigFile:
    """Read the configuration file; an empty one where there is no ``leadboard.toml`` and none is named.

    Raises
    ------
    UsageError
        If it cannot be read, or has an entry that it cannot have.
    """
    file = config or CONFIG_FILE
    if config is None and not (file.is_symlink() or file.exists()):
        return ConfigFile()
    shown = _shown(file)
    try:
        if not file.is_file() or file.stat().st_size > LARGEST:
            raise UsageError(f"{shown} is no file of at most {LARGEST // 1024} kB; write one, or remove it.")
        text = file.read_text(encoding="utf-8-sig")  # some editors put a byte-order mark first
        return ConfigFile.model_validate(tomllib.loads(text))
    except ValidationError as error:
        raise wrong_entry(shown, error, "", ConfigFile.model_fields) from None
    except OSError as error:
        raise UsageError(f"{shown} cannot be read ({error.strerror}).") from None
    except (ValueError, RecursionError) as error:  # among them that it is no UTF-8, and no TOML
        raise UsageError(f"{shown} is not valid TOML: {printable(str(error), 120)}.") from None


def wrong_entry(shown: str, error: ValidationError, table: str, known: Iterable[str]) -> UsageError:
    """Say what is wrong in a configuration file.

    Parameters
    ----------
    table
        Name of the table that was looked at; empty for the whole file.
    known
        The entries that it may have.
    """
    first = error.errors(include_url=False)[0]
    where = [str(part) for part in (*filter(None, [table]), *first["loc"])]
    if first["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        kind = f"entry of [{table}]" if table else "entry"
        unknown = UnknownNameError(kind, printable(where[-1], 80), known)
        return UsageError(f"{shown}: {unknown}")
    said = printable(first["msg"].removeprefix("Value error, "), 120).rstrip(".")
    return UsageError(f"{shown} has a wrong entry: {printable('.'.join(where), 80)}: {said}.")
