"""Finding models: by entry-point name, ``path.py:Class`` or ``package.module:Class``."""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.util
import logging
import sys
import uuid
from dataclasses import replace
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmark.files import from_home
from benchmark.models.cards import card_beside
from benchmark.models.guard import guarded
from benchmark.models.import_files import FilesAtImport
from benchmark.models.model_files import SUITE, ModelFiles, hash_with_files, hash_with_later_files
from benchmark.models.model_source import ModelSource, notes_in
from benchmark.models.worker.environments import Deadlines, Interpreter, WorkerEnvironment
from benchmark.models.worker.modules import CrowdedError, code_hash, folder_of, module_of_file
from benchmark.models.worker.remote import RemoteModel
from benchmark.models.worker.standalone import GROUP, OpenedFiles, construct, with_card
from cohorts.errors import ModelError, UnknownNameError, UsageError, some

logger = logging.getLogger("leadboard")


def installed_models() -> dict[str, EntryPoint]:
    """All models that installed packages offer, by name."""
    return dict(_offered(entry_points, tuple(map(_state, sys.path))))


@functools.lru_cache(maxsize=1)
def _offered(read: Any, _folders: tuple[tuple[str, int], ...]) -> dict[str, EntryPoint]:
    """Read what every installed package offers, again where one has been installed since."""
    return {entry.name: entry for entry in sorted(read(group=GROUP))}


def _state(folder: str) -> tuple[str, int]:
    try:
        return folder, Path(folder).stat().st_mtime_ns
    except OSError:
        return folder, 0


def find_model(
    spec: str,
    environment: WorkerEnvironment | None = None,
    cache: Path | None = None,
    deadlines: Deadlines | None = None,
    folder: Path | None = None,
) -> ModelSource:
    """Find a model and read its card.

    A model whose own modules have the names of others in this process runs in a worker with this interpreter.

    Parameters
    ----------
    spec
        Name of an installed model, ``path/to/file.py:Class`` or ``package.module:Class``.
    environment
        Where a model named by file or module is to run; None for this process.
    cache
        Where it is noted which files the model has opened before; None to know of those alone that it opens
        now.
    deadlines
        Of a worker that is started though none was asked for.
    folder
        That a relative path of a file is from; the working folder if not given.

    Raises
    ------
    UsageError
        If nothing of that name or at that path exists.
    ModelError
        If it exists but cannot be imported, made, or breaks the contract.
    """
    base = folder or Path.cwd()
    if environment is not None and ":" in spec:
        found = _found_there(spec, environment, base)
    else:
        try:
            found = _found_here(spec, base)
        except CrowdedError as crowded:
            logger.warning(
                "%s runs in a process of its own: here '%s' is the name of another module.",
                spec,
                crowded.name,
            )
            alone = WorkerEnvironment(Interpreter(sys.executable), deadlines or Deadlines())
            found = _found_there(spec, alone, base)
    files = found.files
    files.at_start = files.now()
    hashed = hash_with_files(found.code_hash, files.at_start)
    if cache is not None:
        hashed = hash_with_later_files(hashed, files, notes_in(cache, found.card.name))
    return replace(found, code_hash=hashed)


def source_of(model: Any) -> ModelSource:
    """Take a model that somebody has made in this process.

    Nothing tells whether its code or its weights have changed since, so it is another model each time.

    Parameters
    ----------
    model
        An instance, or a class that needs no arguments but ``device``. It is asked as it is, or in words.

    Raises
    ------
    UsageError
        If it has to learn first: it would be given a fresh copy and its training kept, under a lasting name.
    ModelError
        If it breaks the contract.
    """
    name = model.__qualname__ if isinstance(model, type) else type(model).__qualname__
    make = model if isinstance(model, type) else (lambda: model)
    built = guarded(f"{name}()", lambda: construct(make, "cpu"))
    found = ModelSource.of(name, make, uuid.uuid4().hex, built)
    if not found.card.outputs:
        raise UsageError(
            f"{found.card.name} has to learn first; name it as path/to/file.py:Class, so that what it "
            "learns is kept."
        )
    return replace(found, abilities=found.abilities & {"Prompted"}, usual_protocols=None)


def _found_there(spec: str, environment: WorkerEnvironment, folder: Path) -> ModelSource:
    files = ModelFiles()
    make = functools.partial(
        RemoteModel,
        spec,
        environment.launcher,
        environment.deadlines,
        files=files.reported,
        base=folder,
    )
    with make(device="cpu") as model:
        files.folder = model.folder
        versions = {"python": model.python, **model.packages}
        found = ModelSource.of(spec, make, model.code_hash, model)
        return replace(found, environment=tuple(sorted(versions.items())), files=files)


_at_import = FilesAtImport()


def _found_here(spec: str, folder: Path) -> ModelSource:
    opened = OpenedFiles(Path(), SUITE)
    with opened:
        with _at_import:
            module, attribute = _module_of(spec, folder)
        opened.paths |= _at_import.of(module)
        model_class = getattr(module, attribute, None)
        if not callable(model_class):
            raise UsageError(_no_class(spec.rpartition(":")[0], module, attribute))
        hashed = guarded(f"Reading the code of {spec}", lambda: code_hash(module))
        if hashed is None:
            raise ModelError(
                f"{module.__name__} has no source file, so nobody could tell whether it changed."
            )
        opened.folder = folder_of(module)
        make = _with_card(model_class, module)
        model = guarded(f"{spec}()", lambda: construct(make, "cpu"))
        found = ModelSource.of(spec, make, hashed, model)
    return replace(found, files=ModelFiles(opened.folder, opened))


def _module_of(spec: str, folder: Path) -> tuple[ModuleType, str]:
    if ":" in spec:
        return _from_reference(spec, folder)
    offered = installed_models()
    if spec.endswith(".py"):
        if not (file := (folder / from_home(spec)).resolve()).is_file():
            raise UsageError(f"No file {file}; check the path of --model {spec}.")
        raise UsageError(f"'{spec}' names a file and no class; write {_with_a_class(spec, file)}.")
    if spec not in offered:
        if (folder / from_home(spec)).is_dir():
            raise UsageError(f"'{spec}' is a folder; name the model in it as path/to/file.py:Class.")
        raise UnknownNameError("model", spec, offered)
    entry = offered[spec]
    return _imported(entry.module), entry.attr


def _with_a_class(spec: str, file: Path) -> str:
    """Name a file and a class that could be a model, as far as the file can be read."""
    try:
        nodes = ast.parse(file.read_bytes()).body
    except (OSError, SyntaxError, ValueError):
        nodes = []
    classes = [node for node in nodes if isinstance(node, ast.ClassDef)]
    models = [
        node.name
        for node in classes
        if any(isinstance(member, ast.FunctionDef) and member.name == "predict" for member in node.body)
    ]
    return " or ".join(f"{spec}:{name}" for name in models[:3]) or f"{spec}:Class"


def _no_class(place: str, module: ModuleType, name: str) -> str:
    """Say which classes there are instead."""
    own = [
        other
        for other, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__
    ]
    near = get_close_matches(name, own, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return f"{place} has no class '{name}'.{hint} It has {some(own) or 'none at all'}."


def _with_card(model_class: Any, module: ModuleType) -> Any:
    """Give a class without a card the one in ``card.yaml`` beside its file, if there is one."""
    if not isinstance(model_class, type) or hasattr(model_class, "card") or not module.__file__:
        return model_class
    return with_card(model_class, card_beside(Path(module.__file__)))


def _from_reference(spec: str, folder: Path) -> tuple[ModuleType, str]:
    where, _, attribute = spec.rpartition(":")
    if not attribute.isidentifier():
        raise UsageError(f"'{spec}' names no class; write path/to/file.py:Class or package.module:Class.")
    if not where.endswith(".py"):
        if importlib.util.find_spec(where.split(".", maxsplit=1)[0]) is None:
            raise UsageError(
                f"No package '{where}' is installed here; install it or give path/to/file.py:Class."
            )
        return _imported(where), attribute
    path = (folder / from_home(where)).resolve()
    if not path.is_file():
        raise UsageError(f"No file {path}; check the path of --model {spec}.")
    return guarded(f"Importing {path.name}", lambda: module_of_file(path), CrowdedError), attribute


def _imported(name: str) -> ModuleType:
    return guarded(f"Importing {name}", lambda: importlib.import_module(name))
