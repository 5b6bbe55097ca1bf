"""Importing a model's Python file with the modules beside it, and which files its code is.

Python 3.8 or newer and its standard library: the worker takes this file from beside itself.

A file has a name of its own here, because two models may have files of one name. Modules beside it are found
as if Python had been started with it (``from net import Net``) or in its package (``from .net import Net``).
A process that the model starts anew, such as a worker of a ``DataLoader``, can import it under that name.
"""

from __future__ import annotations

import ast
import atexit
import contextlib
import hashlib
import importlib.machinery
import importlib.util
import os
import re
import shutil
import sys
import uuid
from pathlib import Path
from typing import Any

from .leftovers import MARK, folder_for_children
from .standalone import deepest, libraries, spellings

PREFIX = "leadboard_plugin_"

SHIM = """\
__file__ = {file!r}
__path__ = {folders!r} or None
if __path__ is None:
    del __path__
if __file__:
    with open(__file__, "rb") as source:
        code = compile(source.read(), __file__, "exec")
    exec(code, globals())
"""
"""Module under which a process that is started anew finds a file of a model, or a package of it."""


class CrowdedError(Exception):
    """A module beside the model's file has the name of another one in this process.

    Attributes
    ----------
    name
        Of the module.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def module_of_file(path: Path, *, alone: bool = False) -> Any:
    """Import a Python file under a name of its own.

    Parameters
    ----------
    path
        Absolute.
    alone
        Whether this process is the model's alone; then the modules beside it come before all others.

    Raises
    ------
    CrowdedError
        If one of those modules has the name of another one here, and the process is not the model's alone.
    """
    neighbours = Neighbours(path)
    for name, folder in neighbours.named.items():
        if alone:
            _put_first(name, folder)
        elif _is_elsewhere(name, folder):
            raise CrowdedError(name)
        elif str(folder) not in sys.path:
            sys.path.append(str(folder))
    stem = re.sub(r"\W", "_", path.stem)
    if not neighbours.is_relative:
        return _executed(f"{PREFIX}{stem}_{_short_hash(str(path))}", path, [])
    root = _packages(path)[-1]
    name = re.sub(r"\W", "_", root.name)
    package = f"{PREFIX}{name}_{_short_hash(str(path), neighbours.files)}"
    if package not in sys.modules:
        init = root / "__init__.py"
        _executed(package, init if init.is_file() else None, [str(root)])
    between = path.parent.relative_to(root).parts
    return _executed(".".join([package, *between, stem]), path, [])


def _put_first(name: str, folder: Path) -> None:
    if str(folder) not in sys.path[:2]:
        sys.path.insert(0, str(folder))
    package = folder / name
    if package.is_dir() and not (package / "__init__.py").is_file():  # one with the file would come before it
        _executed(name, None, [str(package)])


def _executed(name: str, file: Path | None, folders: list[str]) -> Any:
    """Execute a file as a module, or make a package without one; a package has folders."""
    spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
    if file is not None:
        found = importlib.util.spec_from_file_location(
            name, str(file), submodule_search_locations=folders or None
        )
        if found is None:
            raise ImportError(f"{file} is not a Python file")
        spec = found
    else:
        spec.submodule_search_locations = folders
    parent = name.rpartition(".")[0]
    if parent:
        importlib.import_module(parent)
    elif name.startswith(PREFIX):
        leave_for_children(name, file, folders)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and torch look their module up while it is executed
    if spec.loader is not None and file is not None:
        try:
            spec.loader.exec_module(module)
        except BaseException:
            sys.modules.pop(name, None)
            raise
    return module


_for_children: list[str] = []


def leave_for_children(name: str, file: Path | None, folders: list[str]) -> None:
    """Let processes that are started anew, which get our ``sys.path``, import a module of this name."""
    with contextlib.suppress(OSError):  # a model that starts none does not need it
        if not _for_children:
            folder = folder_for_children(os.environ.get(MARK) or uuid.uuid4().hex)
            folder.mkdir(mode=0o700)
            _for_children.append(str(folder))
            atexit.register(_remove, _for_children[0], os.getpid())
        if _for_children[0] not in sys.path:
            sys.path.append(_for_children[0])
        shim = SHIM.format(file=str(file) if file else "", folders=folders)
        Path(_for_children[0], name + ".py").write_text(shim, encoding="utf-8")


def _remove(folder: str, owner: int) -> None:
    if os.getpid() == owner:  # and not a fork of it
        shutil.rmtree(folder, ignore_errors=True)


def _is_elsewhere(name: str, folder: Path) -> bool:
    """Whether a module of this name would not come from the folder."""
    module = sys.modules.get(name)
    try:
        spec = importlib.util.find_spec(name) if module is None else getattr(module, "__spec__", None)
    except (ImportError, ValueError, AttributeError):
        return True
    if spec is None:
        return module is not None
    places = [spec.origin] if spec.has_location else list(spec.submodule_search_locations or ["elsewhere"])
    return not all(deepest(spellings(place), spellings(folder)) for place in places)


def _short_hash(text: str, files: Any = ()) -> str:
    digest = hashlib.sha256(text.encode(errors="surrogateescape"))
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:8]


def _packages(file: Path) -> list[Path]:
    """Folder of a file and those around it as far as they are packages, at least the first."""
    found = [file.parent]
    while (found[-1] / "__init__.py").is_file() and (found[-1].parent / "__init__.py").is_file():
        found.append(found[-1].parent)
    return found


class Neighbours:
    """A Python file outside of installed packages, and what it imports from beside it.

    Attributes
    ----------
    files
        The file, and whatever it may import from its folder or its package, directly or not.
    named
        Top-level modules that are imported -> the folder they are in.
    is_relative
        Whether the file has imports such as ``from .net import Net``.
    """

    def __init__(self, file: Path) -> None:
        self.files = [file]
        self.named: dict[str, Path] = {}
        self.is_relative = False
        if deepest(spellings(file.parent), libraries()):
            return  # everything that is installed is a neighbour there
        packages = _packages(file)
        self._folders = [file.parent]
        if (file.parent / "__init__.py").is_file():
            self._folders.append(packages[-1].parent)
        to_read = [file]
        while to_read:
            current = to_read.pop()
            for level, name in {(level, name.partition(".")[0]) for level, name in imports_of(current)}:
                self.is_relative |= current == file and level > 0
                new = [path for path in self._found(current, level, name) if path not in self.files]
                self.files += new
                to_read += new

    def _found(self, current: Path, level: int, name: str) -> list[Path]:
        if level:
            base = current.parents[min(level, len(current.parents)) - 1]
            return _offered(base, name) + [path for path in [base / "__init__.py"] if path.is_file()]
        for folder in self._folders:
            beside = _offered(folder, name)
            if beside:
                if name not in getattr(sys, "stdlib_module_names", sys.builtin_module_names):
                    self.named.setdefault(name, folder)
                return beside
        return []


def _offered(folder: Path, name: str) -> list[Path]:
    """Files of a package or of a module in a folder; a lock file of an editor, or a folder, is none."""
    package = folder / name
    beside = sorted(package.rglob("*.py")) if package.is_dir() else [folder / (name + ".py")]
    return [path for path in beside if path.is_file()]


def imports_of(file: Path) -> set[tuple[int, str]]:
    """Level of each import of a file, 0 if it is absolute, and its whole name, which may end in a class."""
    try:
        nodes = list(ast.walk(ast.parse(file.read_bytes())))
    except (SyntaxError, ValueError, OSError):  # whoever imports it will hear of it
        return set()
    found = [(0, alias.name) for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            before = f"{node.module}." if node.module else ""
            found += [(node.level, before + alias.name) for alias in node.names]
    return set(found)


def code_files(module: Any) -> list[Path]:
    """Give the Python files of a model, empty if it has none.

    All of its top-level package, because a model is rarely one file: a change too many costs a run, a change
    missed costs a wrong number. Outside of packages its file, and what this imports from beside it.
    """
    if getattr(module, "__file__", None) is None:
        return []
    package = module.__name__.partition(".")[0]
    is_packaged = module.__package__ not in ("", None) and package in sys.modules
    if is_packaged and not package.startswith(PREFIX):
        top = getattr(sys.modules[package], "__path__", None)
        files = sorted(path for folder in top or () for path in Path(folder).rglob("*.py") if path.is_file())
        if files:
            return files
    return Neighbours(Path(module.__file__)).files


def folder_of(module: Any) -> Path:
    """Give the folder of a model's top-level package, or of its file outside of packages."""
    if module.__name__.startswith(PREFIX) or not module.__package__:
        return Path(module.__file__).parent.absolute()
    return Path(os.path.commonpath([str(file.parent.absolute()) for file in code_files(module)]))


def code_hash(module: Any) -> str | None:
    """Hash the Python files of a model (see `code_files`), None if it has none."""
    files = code_files(module)
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest() if files else None
