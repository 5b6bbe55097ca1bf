"""Which data files a model's modules open while they are imported, which happens once in a process."""

from __future__ import annotations

import functools
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from benchmark.models.model_files import SUITE
from benchmark.models.worker.modules import imports_of
from benchmark.models.worker.standalone import OpenedFiles, deepest, libraries, spellings


class FilesAtImport(OpenedFiles):
    """Remembers by which modules each file was opened, for those that import them later.

    A module that is here already opens nothing when another model imports it. What a model is must not depend
    on the models that were found before it, so its files are looked up for every module that it imports.
    """

    def __init__(self) -> None:
        super().__init__(Path())
        self._by_module: dict[str, set[str]] = {}  # by its file

    def saw(self, path: str, *, written: bool) -> None:
        """Take note of a file for every module that is being executed at the moment."""
        frame = None if written else sys._getframe(1)
        while frame is not None:
            if frame.f_code.co_name == "<module>":
                self._by_module.setdefault(str(frame.f_globals.get("__file__")), set()).add(path)
            frame = frame.f_back

    def of(self, module: ModuleType) -> set[str]:
        """Give the files that a module and those it imports, directly or not, have opened.

        Modules of libraries and of this suite are none of the model's, unless it is in that package itself.
        One that would be imported later counts if it is here: whether it will be nobody knows, and it opens
        nothing then.
        """
        package, found, to_read = _package(module.__name__), dict[str, str](), [module.__name__]
        others = [*libraries(), *(spelling for folder in SUITE for spelling in spellings(folder))]
        while to_read:
            name = to_read.pop()
            file = getattr(sys.modules.get(name), "__file__", None)
            if name in found or not file:
                continue
            found[name] = file
            if _package(name) == package or not deepest(spellings(file), others):
                to_read += _imported(sys.modules[name], file)
        return set[str]().union(*(self._by_module.get(file, ()) for file in found.values()))


def _package(name: str) -> str:
    return name.partition(".")[0]


def _imported(module: ModuleType, file: str) -> Iterator[str]:
    """Give the modules, and the packages around them, that may be imported by one; some may be none."""
    try:
        changed = Path(file).stat().st_mtime_ns
    except OSError:
        changed = 0
    for level, name in (*_imports(file, changed), (0, module.__name__)):
        package = module.__package__ or ""
        try:
            full = importlib.util.resolve_name("." * level + name, package) if level else name
        except ImportError:
            continue
        parts = full.split(".")
        yield from (".".join(parts[: end + 1]) for end in range(len(parts)))


@functools.cache
def _imports(file: str, _changed: int) -> frozenset[tuple[int, str]]:
    return frozenset(imports_of(Path(file)))
