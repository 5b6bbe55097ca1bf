"""Finding models: by entry-point name, ``path.py:Class`` or ``package.module:Class``."""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.util
import inspect
import sys
from dataclasses import dataclass, field, replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmark.models.cards import card_beside
from benchmark.models.contract import ABILITIES, Model, ModelCard, card_of
from benchmark.models.guard import guarded
from benchmark.models.worker.remote import Elsewhere, RemoteModel
from cohorts.errors import ModelError, UnknownNameError, UsageError

GROUP = "leadboard.models"


@dataclass(frozen=True)
class ModelSource:
    """A model class, with what is needed to make it again and to tell whether it changed.

    Attributes
    ----------
    spec
        How the user named it.
    code_hash
        Hash of the Python files that define it: of its whole package, or of its one file.
    abilities
        Names of the optional abilities of `benchmark.models` that it has.
    small
        Whether a run may pre-train it without being asked to.
    usual_protocols
        Names of the protocols that it confines itself to unless others are asked for, None for all.
    environment
        Versions of Python and of packages where it runs, if that is not this process.
    """

    spec: str
    model_class: Any = field(repr=False)
    code_hash: str
    card: ModelCard
    abilities: frozenset[str] = frozenset()
    small: bool = False
    usual_protocols: tuple[str, ...] | None = None
    environment: tuple[tuple[str, str], ...] = ()

    def build(self, device: str) -> Model:
        """Make an instance; ``device`` is handed over if the constructor has such a parameter."""
        model = guarded(f"{self.spec}()", lambda: _construct(self.model_class, device))
        if not isinstance(model, Model):
            raise ModelError(f"{self.spec} has no 'predict' or no 'card'; the contract asks for both.")
        return model


def installed_models() -> dict[str, EntryPoint]:
    """All models that installed packages offer, by name."""
    return {entry.name: entry for entry in sorted(entry_points(group=GROUP))}


def find_model(spec: str, elsewhere: Elsewhere | None = None) -> ModelSource:
    """Find a model and read its card.

    Parameters
    ----------
    spec
        Name of an installed model, ``path/to/file.py:Class`` or ``package.module:Class``.
    elsewhere
        The environment that a model named by file or module is to run in; None for this process.

    Raises
    ------
    UsageError
        If nothing of that name or at that path exists.
    ModelError
        If it exists but cannot be imported, made, or breaks the contract.
    """
    if elsewhere is not None and ":" in spec:
        make = functools.partial(RemoteModel, spec, elsewhere.launcher, elsewhere.deadlines)
        with make(device="cpu") as model:
            versions = {"python": model.python, **model.packages}
            found = _source(spec, make, model.code_hash, model)
            return replace(found, environment=tuple(sorted(versions.items())))
    if ":" in spec:
        module, attribute = _from_reference(spec)
    else:
        offered = installed_models()
        if spec not in offered:
            raise UnknownNameError("model", spec, offered)
        entry = offered[spec]
        module, attribute = _imported(entry.module), entry.attr
    model_class = getattr(module, attribute, None)
    if not callable(model_class):
        raise UsageError(f"{spec}: {module.__name__} has no class '{attribute}'.")
    make = _with_card(model_class, module)
    model = guarded(f"{spec}()", lambda: _construct(make, "cpu"))
    return _source(spec, make, _code_hash(module), model)


def _with_card(model_class: Any, module: ModuleType) -> Any:
    """Give a class without a card the one in ``card.yaml`` beside its file, if there is one."""
    if not isinstance(model_class, type) or hasattr(model_class, "card") or not module.__file__:
        return model_class
    card = card_beside(Path(module.__file__))
    if card is None:
        return model_class
    return type(model_class.__name__, (model_class,), {"card": card, "__module__": model_class.__module__})


def _source(spec: str, make: Any, code_hash: str, model: Any) -> ModelSource:
    """Read the card and the abilities of a model."""
    if not guarded(spec, lambda: isinstance(model, Model)) or not callable(model.predict):
        raise ModelError(f"{spec} has no 'predict' or no 'card'; the contract asks for both.")
    card = guarded(f"The card of {spec}", lambda: card_of(model))
    abilities = frozenset(ability.__name__ for ability in ABILITIES if isinstance(model, ability))
    if not card.outputs and not abilities & {"Trainable", "Encoder", "Published"}:
        raise ModelError(f"The card of {spec} names no outputs.")
    if card.outputs == "any" and "Prompted" not in abilities:
        raise ModelError(f"The card of {spec} has outputs 'any', but it has no 'set_concepts'.")
    usual = getattr(model, "protocols", None)
    small = bool(getattr(model, "small", False))
    return ModelSource(spec, make, code_hash, card, abilities, small, None if usual is None else tuple(usual))


def _construct(model_class: Any, device: str) -> Any:
    try:
        takes_device = "device" in inspect.signature(model_class).parameters
    except ValueError:  # some classes of C extensions have no signature
        takes_device = False
    return model_class(device=device) if takes_device else model_class()


def _from_reference(spec: str) -> tuple[ModuleType, str]:
    where, _, attribute = spec.rpartition(":")
    if not attribute.isidentifier():
        raise UsageError(f"'{spec}' names no class; write path/to/file.py:Class or package.module:Class.")
    if not where.endswith(".py"):
        if importlib.util.find_spec(where.split(".", maxsplit=1)[0]) is None:
            raise UsageError(
                f"No package '{where}' is installed here; install it or give path/to/file.py:Class."
            )
        return _imported(where), attribute
    path = Path(where).expanduser().resolve()
    if not path.is_file():
        raise UsageError(f"No file {path}; check the path of --model {spec}.")
    name = f"leadboard_plugin_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    file_spec = importlib.util.spec_from_file_location(name, path)
    if file_spec is None or file_spec.loader is None:
        raise UsageError(f"{path} is not a Python file.")
    module = importlib.util.module_from_spec(file_spec)
    sys.modules[name] = module  # dataclasses and torch look their module up while it is executed
    loader = file_spec.loader
    guarded(f"Importing {path.name}", lambda: loader.exec_module(module))
    return module, attribute


def _imported(name: str) -> ModuleType:
    return guarded(f"Importing {name}", lambda: importlib.import_module(name))


def _code_hash(module: ModuleType) -> str:
    """Hash the source of a module's top-level package, or its one file outside of packages.

    The whole package, because a model is rarely one file; a change too many costs a run, a change
    missed costs a wrong number.
    """
    file = getattr(module, "__file__", None)
    if file is None:
        raise ModelError(
            f"{module.__name__} has no source file, so its results could not be told apart later."
        )
    package = module.__name__.partition(".")[0]
    is_packaged = module.__package__ not in ("", None) and package in sys.modules
    top = getattr(sys.modules[package], "__path__", None) if is_packaged else None
    folders = [Path(folder) for folder in top] if top else []
    paths = sorted(path for folder in folders for path in folder.rglob("*.py")) or [Path(file)]
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
