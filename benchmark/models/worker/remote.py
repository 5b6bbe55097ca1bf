"""A model that runs in its own environment: the suite's side of `benchmark.models.worker.worker`."""

from __future__ import annotations

import functools
import uuid
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from benchmark.models.cards import card_beside
from benchmark.models.contract import Batch, card_of
from benchmark.models.model_files import ModelFile
from benchmark.models.worker.environments import Deadlines, Launcher
from benchmark.models.worker.frames import Array, Loaded, Reply
from benchmark.models.worker.process import LostError, WorkerProcess
from benchmark.text import printable
from cohorts.errors import ModelError, UsageError

WORDS = 400
"""Characters of a worker's last words that go into a sentence."""
LONGEST = 4000
"""Characters of a refusal, which names what there is."""


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

    Attributes
    ----------
    card
        As the first worker gave it; another one after a new start is an error.
    embed, set_concepts
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
    set_concepts: Callable[[Mapping[str, tuple[str, ...]]], None]

    def __init__(
        self,
        spec: str,
        launcher: Launcher,
        deadlines: Deadlines | None = None,
        *,
        device: str = "cpu",
        files: dict[str, ModelFile] | None = None,
    ) -> None:
        workers = Workers(spec, launcher, deadlines or Deadlines(), device, {} if files is None else files)
        weakref.finalize(self, workers.close)  # also at exit
        self._workers = workers
        loaded = workers.first
        self.card, self.code_hash = workers.card, loaded.code_hash
        self.folder, self.python, self.packages = Path(loaded.folder), loaded.python, loaded.packages
        if "embed" in loaded.abilities:
            self.embed = functools.partial(workers.ask_about, "embed")
        if "set_concepts" in loaded.abilities:
            self.set_concepts = workers.set_concepts

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


class Workers:
    """The workers that a remote model has, one after another; see `RemoteModel`."""

    def __init__(
        self, spec: str, launcher: Launcher, deadlines: Deadlines, device: str, files: dict[str, ModelFile]
    ) -> None:
        self.files = files
        self.spec, self.file = spec, _file_of(spec)
        self.launcher = launcher
        self.deadlines = deadlines
        self.device = device
        self._prompts: dict[str, tuple[str, ...]] | None = None
        self._worker, self.first = self._start()
        try:
            # The name of the class is what an error is about.
            self.card = card_of(type(spec.rpartition(":")[2], (), {"card": self.first.card})())
        except ModelError:
            self.close()
            raise

    def ask_about(self, method: str, batch: Batch) -> Array:
        """Ask ``predict`` or ``embed`` about a batch."""
        arrays = {
            "signals": np.ascontiguousarray(batch.signals, dtype="<f4"),
            "age": np.ascontiguousarray(batch.age, dtype="<f4"),
            "sex": np.ascontiguousarray(batch.sex, dtype="<U6"),
        }
        what = f"{self.card.name}.{method}"
        _, answer = self._ask(self._ready(), what, {"do": method}, arrays)
        if answer is None:
            self._worker.kill()
            raise ModelError(f"{what}: the worker sent no array.")
        return answer

    def set_concepts(self, prompts: Mapping[str, tuple[str, ...]]) -> None:
        """Tell the model what to look for, now and after every new start."""
        worker = self._ready()
        self._prompts = dict(prompts)
        self._tell(worker)

    def close(self) -> None:
        """End the worker."""
        self._worker.close()

    def _ready(self) -> WorkerProcess:
        """Give a worker that has the model and its concepts."""
        if self._worker.over:
            first, files = self.first, self._files_at_start
            self._worker, loaded = self._start()
            if (loaded.card, loaded.code_hash, self._files_at_start) != (first.card, first.code_hash, files):
                self._worker.kill()
                raise ModelError(
                    f"{self.spec} has another card, code or weights since its worker restarted; run again."
                )
        return self._worker

    def _start(self) -> tuple[WorkerProcess, Loaded]:
        launcher, label = self.launcher, f"leadboard-{uuid.uuid4().hex[:12]}"
        try:
            worker = WorkerProcess(
                launcher.command(label, self.file, self.device),
                lambda: launcher.stop(label),
                launcher.environment(),
            )
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise ModelError(f"{launcher.name} cannot be started ({why}). {launcher.needs}.") from None
        model = {
            "spec": self.spec,
            "file": self.file and str(self.file),
            "device": self.device,
            "memory": launcher.address_space,
            "card": card_beside(self.file) if self.file else None,
        }
        try:
            reply, _ = self._ask(
                worker, f"Loading {self.spec}", {"do": "load", "model": model}, {}, self.deadlines.start
            )
            if reply.loaded is None:
                raise ModelError(f"{self.spec}: the worker did not say what it has loaded.")
            if self._prompts is not None:
                self._tell(worker)
        except ModelError:
            worker.kill()
            raise
        self._files_at_start = reply.files
        return worker, reply.loaded

    def _tell(self, worker: WorkerProcess) -> None:
        self._ask(worker, f"{self.card.name}.set_concepts", {"do": "set_concepts", "prompts": self._prompts})

    def _ask(
        self,
        worker: WorkerProcess,
        what: str,
        question: Mapping[str, Any],
        arrays: Mapping[str, Array] | None = None,
        seconds: float | None = None,
    ) -> tuple[Reply, Array | None]:
        """Ask a worker; whatever goes wrong becomes one sentence."""
        try:
            reply, array = worker.ask(
                {**question, "what": what}, arrays or {}, seconds or self.deadlines.batch
            )
        except LostError as lost:
            raise ModelError(f"{what}: {self._in_words(lost, worker)}") from None
        self.files.update((file.path, file) for file in reply.files)
        if reply.refused is not None:
            raise ModelError(f"{printable(reply.refused, LONGEST)}.")
        if reply.raised is not None:
            raised, needs = reply.raised, self.launcher.needs
            words = printable(raised.words, WORDS) or "no message"
            if raised.what == "Importing numpy":
                raise ModelError(f"{what}: {self.launcher.name} cannot import numpy ({words}). {needs}.")
            limit = self._limit if raised.type == "MemoryError" else ""
            kind, where = printable(raised.type), printable(raised.where)
            raise ModelError(
                f"{printable(raised.what)} raised {kind} at {where}: {words}{limit}{_words_of(worker)}"
            )
        return reply, array

    def _in_words(self, lost: LostError, worker: WorkerProcess) -> str:
        started = worker.answers > 0
        exited = lost.code is not None and lost.code >= 0
        needs = f" {self.launcher.needs}." if exited and not started else ""
        who = "the worker" if started else f"the worker of {self.launcher.name}"
        limit = self._limit if lost.code is not None and lost.code < 0 else ""
        return f"{who} {lost}{limit}{_words_of(worker)}.{needs}"

    @property
    def _limit(self) -> str:
        size = self.launcher.address_space
        return "" if size is None else f"; --memory allows {size / 2**30:.3g} GiB"


def _words_of(worker: WorkerProcess) -> str:
    words = worker.last_words
    if not words:
        return ""
    return f"; its last words: {'…' if len(words) > WORDS else ''}{words[-WORDS:]}"


def _file_of(spec: str) -> Path | None:
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
    path = Path(where).expanduser().resolve()
    if not path.is_file():
        raise UsageError(f"No file {path}; check the path of --model {spec}.")
    return path
