"""Runs one model in whatever Python it needs, and speaks with the suite through two pipes.

The suite starts this file by its path with another interpreter: Python 3.8 or newer with numpy 1.20 or
newer. It imports nothing else but what lies beside it: `handed`, `leftovers`, `modules`, `pipes` and
`standalone`. Nothing of the suite need be installed there.

The suite asks; the worker answers, naming the question by its "id". What the model prints, in Python or
below it, goes to standard error, the end of which the suite keeps as last words.
"""

from __future__ import annotations

import faulthandler
import functools
import importlib
import io
import json
import os
import platform
import resource
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

ABILITIES = ("embed", "ages", "set_concepts", "fit", "save", "load")
"""Methods beside ``predict`` that the suite may call."""


def _beside(*names: str) -> list[Any]:
    """Import files of this folder as a package, which the model cannot import by accident."""
    package: Any = type(sys)("leadboard_worker")
    package.__path__ = [str(Path(__file__).resolve().parent)]
    sys.modules[package.__name__] = package
    return [importlib.import_module(f"{package.__name__}.{name}") for name in names]


handed, leftovers, modules, pipes, standalone = _beside(
    "handed", "leftovers", "modules", "pipes", "standalone"
)


class UnansweredError(Exception):
    """What the suite is sent instead of an answer."""

    def __init__(self, **report: Any) -> None:
        super().__init__()
        self.report = report


def guarded(what: str, function: Any, *arguments: Any) -> Any:
    """Call code of the model; whatever it raises becomes a report."""
    try:
        return function(*arguments)
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        name = "MemoryError" if isinstance(error, MemoryError) else type(error).__name__
        raised = {"what": what, "type": name, "where": _where(error), "words": str(error)[:2000]}
        raise UnansweredError(raised=raised) from error


def _where(error: BaseException) -> str:
    """File and line that raised it, or that cannot be compiled."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}:{error.lineno}"
    places = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    file, line = [place for place in places if not place[0].startswith("<frozen")][-1]
    return f"{Path(file).name}:{line}"


class Server:
    """One model and the questions that can be asked of it."""

    def __init__(self) -> None:
        self.model: Any = None
        self.np: Any = None
        self.opened: Any = None
        self._stated: Any = None
        self._reported: dict[str, Any] = {}
        self._looked_at = -1

    def answer(self, header: dict[str, Any], raw: dict[str, bytearray]) -> tuple[dict[str, Any], Any]:
        """Do what the header says; the second part of the answer is an array or None.

        With it go the files that the model has opened since the last answer.
        """
        others = {
            "load": self._load,
            "set_concepts": self._set_concepts,
            "fit": self._fit,
            "save": self._save,
            "restore": self._restore,
        }
        do = header["do"]
        answer, array = (others[do](header), None) if do in others else self._ask(header, raw)
        return dict(answer, files=self._new_files()), array

    def _set_concepts(self, header: dict[str, Any]) -> dict[str, Any]:
        prompts = {key: tuple(texts) for key, texts in header["prompts"].items()}
        guarded(header["what"], self.model.set_concepts, prompts)
        return {}

    def _fit(self, header: dict[str, Any]) -> dict[str, Any]:
        """Let the model learn; its card is another one then."""
        settings = handed.Settings(**header["settings"])
        parts = [handed.Records(**header[part]) for part in ("training", "validation")]
        self.opened.skip(settings.folder.parent)  # what the suite and the model itself have written
        modules.leave_for_children(handed.__package__, None, [str(Path(__file__).resolve().parent)])
        try:
            guarded(header["what"], self.model.fit, *parts, settings)
        finally:
            handed.leave_to_the_owner(settings.folder)
        return {"card": self._card()}

    def _save(self, header: dict[str, Any]) -> dict[str, Any]:
        folder = Path(header["folder"])
        try:
            guarded(header["what"], self.model.save, folder)
        finally:
            handed.leave_to_the_owner(folder)
        return {}

    def _restore(self, header: dict[str, Any]) -> dict[str, Any]:
        folder = Path(header["folder"])
        self.opened.skip(folder)
        guarded(header["what"], self.model.load, folder)
        return {"card": self._card()}

    def _card(self) -> Any:
        what = f"The card of {self._stated}"
        return guarded(what, _plain, guarded(what, getattr, self.model, "card"))

    def _ask(self, header: dict[str, Any], raw: dict[str, bytearray]) -> tuple[dict[str, Any], Any]:
        what, method = header["what"], getattr(self.model, header["do"])
        listed = header["arrays"]
        arrays = {name: self.np.frombuffer(raw[name], dtype).reshape(shape) for name, dtype, shape in listed}
        answer = guarded(what, method, handed.Batch(**arrays))
        try:
            answer = guarded(what, functools.partial(standalone.numbers, answer, self.np))
        except UnansweredError as error:
            if isinstance(error.__cause__, standalone.NoNumbersError):
                raise UnansweredError(refused=f"{what} returned {error.__cause__}") from None
            raise
        return {}, answer.astype(f"<{answer.dtype.kind}{min(answer.dtype.itemsize, 8)}", order="C")

    def _load(self, header: dict[str, Any]) -> dict[str, Any]:
        """Find, import and make the model, and tell what the suite has to know of it."""
        return {"loaded": self._loaded(**header["model"])}

    def _loaded(
        self, spec: str, file: str | None, device: str, memory: int | None, card: dict[str, Any] | None
    ) -> dict[str, Any]:
        """Do so; ``card`` is what lies beside the model's file, for a model that has none itself."""
        self._stated = spec
        if memory is not None:
            guarded("Limiting the memory", resource.setrlimit, resource.RLIMIT_AS, (memory, memory))
        self.np = guarded("Importing numpy", importlib.import_module, "numpy")
        self.opened = standalone.OpenedFiles(Path(file).parent if file else Path(), [Path(__file__).parent])
        self.opened.__enter__()  # until the process ends
        module, attribute = find(spec, file)
        model_class = getattr(module, attribute, None)
        if not callable(model_class):
            raise UnansweredError(refused=f"{spec}: {module.__name__} has no class '{attribute}'")
        make = standalone.with_card(model_class, card)
        self.model = guarded(f"{spec}()", standalone.construct, make, device)
        card = guarded(f"The card of {spec}", getattr, self.model, "card", None)
        absent = guarded(spec, standalone.lacking, self.model)
        if absent:
            raise UnansweredError(refused=f"{spec} has {absent}")
        whole_single_precision()
        code_hash = guarded(f"Reading the code of {spec}", modules.code_hash, module)
        if code_hash is None:
            raise UnansweredError(refused=f"{module.__name__} has no source file that could be hashed")
        self.opened.folder = modules.folder_of(module)
        protocols = guarded(f"The protocols of {spec}", getattr, self.model, "protocols", None)
        return {
            "card": guarded(f"The card of {spec}", _plain, card),
            "abilities": [name for name in ABILITIES if hasattr(self.model, name)],
            "protocols": None if protocols is None else [str(name) for name in protocols],
            "code_hash": code_hash,
            "folder": str(self.opened.folder),
            "python": platform.python_version(),
            "packages": standalone.imported_packages(),
        }

    def _new_files(self) -> list[dict[str, Any]]:
        if len(self.opened.paths) == self._looked_at:
            return []
        self._looked_at = len(self.opened.paths)
        files = self.opened.hashed()
        new = [file for file in files if self._reported.get(file["path"]) != file]
        self._reported.update((file["path"], file) for file in new)
        return new


def whole_single_precision() -> None:
    """Ask torch, if the model's code has imported it, for whole single precision on a GPU, as the suite does.

    Convolutions there keep 10 bits of 23 by default (TF32), and a score would move by more than rounding.
    """
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "backends"):
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_tf32 = False


def find(spec: str, file: str | None) -> tuple[Any, str]:
    """Import a file, ``package.module:Class`` or what an installed name stands for."""
    where, _, attribute = spec.rpartition(":")
    if file is not None:
        return guarded(
            f"Importing {Path(file).name}", functools.partial(modules.module_of_file, Path(file), alone=True)
        ), attribute
    if not where:
        from importlib.metadata import entry_points  # slow to import

        found: Any = entry_points()  # a dict before Python 3.10
        offered = (
            found.select(group=standalone.GROUP)
            if hasattr(found, "select")
            else found.get(standalone.GROUP, ())
        )
        named = {entry.name: entry.value for entry in offered}
        if spec not in named:
            there = ", ".join(sorted(named)) or "none"
            raise UnansweredError(refused=f"No package there offers a model '{spec}'; there are: {there}")
        where, _, attribute = named[spec].partition(":")
    return guarded(f"Importing {where}", importlib.import_module, where), attribute


def _plain(card: Any) -> Any:
    card = card.model_dump(mode="json") if hasattr(card, "model_dump") else card
    return json.loads(json.dumps(card, default=_plain_array, allow_nan=False))


def _plain_array(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"it holds an object of type {type(value).__name__}; it may hold plain data only")


def main() -> None:
    """Answer until the suite closes the pipe."""
    source, sink = pipes.own_the_streams()
    leftovers.leave_a_guard(source, sink)
    faulthandler.enable(all_threads=False)
    faulthandler.register(signal.SIGUSR1, all_threads=False)  # so the suite can ask where a model hangs
    if sys.path and Path(sys.path[0]).resolve() == Path(__file__).resolve().parent:
        del sys.path[0]  # or `import models` would find the suite's
    worker, server, requests = os.getpid(), Server(), io.FileIO(source, "rb", closefd=False)
    while True:
        request = pipes.receive(requests)
        if request is None:
            return
        try:
            answer, array = server.answer(*request)
        except UnansweredError as failure:
            answer, array = failure.report, None
        if os.getpid() != worker:  # the model has forked, and its child has come back as well
            os._exit(0)
        pipes.send(sink, dict(answer, id=request[0]["id"]), array)


if __name__ == "__main__":
    main()
