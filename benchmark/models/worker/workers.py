"""The workers of a model: what is asked of them, and what a fresh one is told after one has died."""

from __future__ import annotations

import logging
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import numpy as np

from benchmark.models.cards import card_beside, card_of
from benchmark.models.contract import Batch, FitSettings, Records
from benchmark.models.model_card import ModelCard
from benchmark.models.model_files import ModelFile
from benchmark.models.worker.environments import Deadlines, Launcher
from benchmark.models.worker.frames import Array, Loaded, Reply
from benchmark.models.worker.handing import FOLDER, hand_over
from benchmark.models.worker.process import LostError, Patience, WorkerProcess
from benchmark.text import printable
from cohorts.errors import LeadboardError, ModelError

logger = logging.getLogger("leadboard")

WORDS = 400
"""Characters of a worker's last words that go into a sentence."""
LONGEST = 4000
"""Characters of a refusal, which names what there is."""


class Workers:
    """The workers that a model has, one after another; see `benchmark.models.worker.remote.RemoteModel`.

    Attributes
    ----------
    card
        Of the model as it is now: what it has learnt or loaded changes it.
    first
        What is known of the model as it was made; another one after a new start is an error.
    """

    def __init__(
        self,
        spec: str,
        file: Path | None,
        launcher: Launcher,
        deadlines: Deadlines,
        device: str,
        files: dict[str, ModelFile],
    ) -> None:
        self.files = files
        self.spec, self.file = spec, file
        self.launcher = launcher
        self.deadlines = deadlines
        self.device = device
        self._prompts: dict[str, tuple[str, ...]] | None = None
        self._folders: dict[Path, bool] = {}
        self._learnt: Literal["lost with its worker"] | Path | None = None
        self._worker, self.first = self._start()
        try:
            self.card = self._checked(self.first.card)
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

    def fit(self, training: Records, validation: Records, settings: FitSettings) -> None:
        """Let the model learn from records that it is handed over as files."""
        place = settings.folder.absolute().parent
        self._show(place, writable=True)
        worker, spec = self._ready(), self.card.input
        with _new_folder(place) as folder:
            parts = {
                name: hand_over(records, folder / name, spec)
                for name, records in (("training", training), ("validation", validation))
            }
            stated = {**asdict(settings), "folder": str(settings.folder.absolute())}
            self._learnt = "lost with its worker"
            patience = Patience(self.deadlines.fit, "--fit-deadline", self._beat)
            what = f"{self.card.name}.fit"
            reply, _ = self._ask(worker, what, {"do": "fit", "settings": stated, **parts}, patience=patience)
        self.card = self._checked(reply.card)

    def save(self, folder: Path) -> None:
        """Let the model write what it has learnt into an empty folder."""
        self._show(folder, writable=True)
        question = {"do": "save", "folder": str(folder.absolute())}
        self._ask(self._ready(), f"{self.card.name}.save", question, patience=self._loading)

    def load(self, folder: Path) -> None:
        """Let the model load what it has saved, now and after every new start."""
        self._show(folder, writable=False)
        self._learnt = None
        self._restore(self._ready(), folder)
        self._learnt = folder

    def close(self) -> None:
        """End the worker."""
        self._worker.close()

    @property
    def _loading(self) -> Patience:
        return Patience(self.deadlines.start)

    def _beat(self, seconds: float, words: str) -> None:
        said = f"; it says: {words[-WORDS:]}" if words else ""
        passed = timedelta(seconds=round(seconds))
        logger.info("%s.fit: %s so far in a process of its own%s", self.card.name, passed, said)

    def _show(self, folder: Path, *, writable: bool) -> None:
        """See to it that the worker sees a folder; one that is shut in is ended, and the next one sees it."""
        if not self.launcher.shown:
            return
        place = folder.absolute()
        seen = (able for path, able in self._folders.items() if place.is_relative_to(path))
        if any(able or not writable for able in seen):
            return
        self._folders[place] = writable
        self._worker.close()

    def _restore(self, worker: WorkerProcess, folder: Path) -> None:
        question = {"do": "restore", "folder": str(folder.absolute())}
        reply, _ = self._ask(worker, f"{self.card.name}.load", question, patience=self._loading)
        self.card = self._checked(reply.card)

    def _checked(self, card: Any) -> ModelCard:
        # The name of the class is what an error is about.
        return card_of(type(self.spec.rpartition(":")[2], (), {"card": card})())

    def _ready(self) -> WorkerProcess:
        """Give a worker that has the model, what it has learnt and its concepts."""
        if self._worker.over:
            if isinstance(self._learnt, str):
                raise ModelError(f"{self.card.name}: what it has learnt is {self._learnt}.")
            first, files = self.first, self._files_at_start
            self._worker, loaded = self._start()
            if (loaded.card, loaded.code_hash, self._files_at_start) != (first.card, first.code_hash, files):
                self._worker.kill()
                raise ModelError(
                    f"{self.spec} has another card, code or weights since its worker restarted; run again."
                )
            try:
                if self._learnt is not None:
                    self._restore(self._worker, self._learnt)
                if self._prompts is not None:
                    self._tell(self._worker)
            except ModelError:
                self._worker.kill()  # or the next question would go to a model that has learnt nothing
                raise
        return self._worker

    def _start(self) -> tuple[WorkerProcess, Loaded]:
        launcher, label = self.launcher, f"leadboard-{uuid.uuid4().hex[:12]}"
        try:
            worker = WorkerProcess(
                launcher.command(label, self.file, self.device, self._folders),
                lambda: launcher.stop(label),
                launcher.environment(),
            )
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise ModelError(f"{launcher.name} cannot be started ({why}). {launcher.advice(None)}.") from None
        model = {
            "spec": self.spec,
            "file": self.file and str(self.file),
            "device": self.device,
            "memory": launcher.address_space,
            "card": card_beside(self.file) if self.file else None,
        }
        try:
            question = {"do": "load", "model": model}
            reply, _ = self._ask(worker, f"Loading {self.spec}", question, patience=self._loading)
            if reply.loaded is None:
                raise ModelError(f"{self.spec}: the worker did not say what it has loaded.")
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
        patience: Patience | None = None,
    ) -> tuple[Reply, Array | None]:
        """Ask a worker; whatever goes wrong becomes one sentence."""
        try:
            reply, array = worker.ask(
                {**question, "what": what}, arrays or {}, patience or Patience(self.deadlines.batch)
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
        needs = f" {self.launcher.advice(lost.code)}." if exited and not started else ""
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


@contextmanager
def _new_folder(place: Path) -> Iterator[Path]:
    """Make a folder that is deleted at the end."""
    try:
        made = tempfile.TemporaryDirectory(dir=place, prefix=FOLDER)
    except OSError as error:
        raise LeadboardError(f"Cannot write to {place} ({error.strerror}); free some space.") from error
    with made as folder:
        yield Path(folder)
