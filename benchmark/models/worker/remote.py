"""A model that runs in its own environment: the suite's side of `benchmark.models.worker.worker`."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from benchmark.files import from_home
from benchmark.models.contract import Batch, FitSettings, Records
from benchmark.models.model_card import ModelCard
from benchmark.models.model_files import ModelFile
from benchmark.models.worker.environments import Deadlines, Launcher
from benchmark.models.worker.frames import Array
from benchmark.models.worker.workers import Workers
from cohorts.errors import UsageError


class RemoteModel:
    """A model in another process, as the plugin contract asks for it.

    The worker starts here, and again with the first question after it died: a cell whose model crashes
    is lost, the next cell gets a fresh one. The worker ends with this object.

    Parameters
    ----------
    spec
        ``path/to/file.py:Class``, ``package.module:Class`` or a name that a package offers there.
    launcher
        Where it runs.
    device
        Handed to the model's constructor if that has such a parameter.
    files
        Takes the files that the model opens, by their paths; None to keep no record of them.
    base
        Folder that a relative path is from; the working folder if not given.

    Attributes
    ----------
    protocols
        Names of the protocols that the model confines itself to, None for all.
    embed, ages, set_concepts, fit, save, load
        Only there if the model has them.
    code_hash
        Hash of the model's Python files, as `benchmark.models.plugins` makes it.
    folder
        Of the model's file or package there; paths of its files are relative to it.
    python, packages
        Versions there: of Python, and of the packages that the model has imported.

    Raises
    ------
    UsageError
        If ``spec`` names no file or no class.
    ModelError
        If the worker or the model does not start. Every method raises it too, with the worker's last
        words, for whatever goes wrong there.
    """

    embed: Callable[[Batch], Array]
    ages: Callable[[Batch], Array]
    set_concepts: Callable[[Mapping[str, tuple[str, ...]]], None]
    fit: Callable[[Records, Records, FitSettings], None]
    save: Callable[[Path], None]
    load: Callable[[Path], None]

    def __init__(
        self,
        spec: str,
        launcher: Launcher,
        deadlines: Deadlines | None = None,
        *,
        device: str = "cpu",
        files: dict[str, ModelFile] | None = None,
        base: Path | None = None,
    ) -> None:
        workers = Workers(
            spec,
            _file_of(spec, base or Path.cwd()),
            launcher,
            deadlines or Deadlines(),
            device,
            {} if files is None else files,
        )
        weakref.finalize(self, workers.close)  # also at exit
        self._workers = workers
        loaded = workers.first
        self.code_hash, self.protocols = loaded.code_hash, loaded.protocols
        self.folder, self.python, self.packages = Path(loaded.folder), loaded.python, loaded.packages
        for name in {"embed", "ages"} & set(loaded.abilities):
            setattr(self, name, functools.partial(workers.ask_about, name))
        for name in {"set_concepts", "fit", "save", "load"} & set(loaded.abilities):
            setattr(self, name, getattr(workers, name))

    @property
    def card(self) -> ModelCard:
        """What the model says of itself: after it has learnt or loaded something, what it says then."""
        return self._workers.card

    def predict(self, batch: Batch) -> Array:
        """Give what the model answers: real numbers, of whatever shape."""
        return self._workers.ask_about("predict", batch)

    def close(self) -> None:
        """End the worker."""
        self._workers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _file_of(spec: str, base: Path) -> Path | None:
    """Give the file of ``path/to/file.py:Class``, None for any other name.

    Raises
    ------
    UsageError
        If there is no such file, or a class is not named.
    """
    where, colon, attribute = spec.rpartition(":")
    if colon and not attribute.isidentifier():
        raise UsageError(f"'{spec}' names no class; write path/to/file.py:Class or package.module:Class.")
    if not where.endswith(".py"):
        return None
    path = (base / from_home(where)).resolve()
    if not path.is_file():
        raise UsageError(f"No file {path}; check the path of --model {spec}.")
    return path
