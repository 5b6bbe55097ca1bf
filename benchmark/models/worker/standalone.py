"""What the suite and a worker both do with a model: make it, hash its code, and see which files it opens.

Python 3.8 or newer and its standard library; the worker loads this file by its path.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib.util
import inspect
import os
import site
import sys
import sysconfig
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

GROUP = "leadboard.models"
"""Entry points under which packages offer models."""

SYSTEM = ("/proc", "/dev", "/sys", "/etc", "/run", "/usr", "/lib", "/lib64", "/bin", "/sbin")
SETTINGS = ("~/.config", "~/.netrc", "~/.cache/matplotlib", "~/.cache/fontconfig")
CREDENTIALS = ("~/.cache/huggingface/token", "~/.cache/huggingface/stored_tokens")

BELOW_PYTHON = (".onnx", ".safetensors", ".pt", ".pth", ".ts", ".tflite", ".pb", ".h5", ".hdf5")
"""Weights that libraries open without Python; those beside a model count whether or not they are used."""

LARGEST_HDF5 = 1 << 31
"""Bytes; an HDF5 file that is larger holds recordings rather than weights."""


def module_of_file(path: Path) -> Any:
    """Import a Python file under a name of its own."""
    name = f"leadboard_plugin_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    file_spec = importlib.util.spec_from_file_location(name, path)
    if file_spec is None or file_spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(file_spec)
    sys.modules[name] = module  # dataclasses and torch look their module up while it is executed
    file_spec.loader.exec_module(module)
    return module


def construct(model_class: Any, device: str) -> Any:
    """Make an instance; ``device`` is handed over if the constructor has such a parameter."""
    try:
        takes_device = "device" in inspect.signature(model_class).parameters
    except ValueError:  # some classes of C extensions have no signature
        takes_device = False
    return model_class(device=device) if takes_device else model_class()


def code_files(module: Any) -> list[Path]:
    """Give the Python files of a model, empty if it has none.

    All of its top-level package, because a model is rarely one file: a change too many costs a run, a change
    missed costs a wrong number. Outside of packages its file, and what this imports from the same folder.
    """
    if getattr(module, "__file__", None) is None:
        return []
    package = module.__name__.partition(".")[0]
    is_packaged = module.__package__ not in ("", None) and package in sys.modules
    top = getattr(sys.modules[package], "__path__", None) if is_packaged else None
    files = sorted(path for folder in top or () for path in Path(folder).rglob("*.py"))
    return files or _with_neighbours(Path(module.__file__))


def _with_neighbours(file: Path) -> list[Path]:
    found, to_read = [file], [file]
    if _deepest(_spellings(file.parent), libraries()):
        return found  # everything that is installed is a neighbour there
    while to_read:
        for name in _imported_names(to_read.pop()):
            package = file.parent / name
            beside = sorted(package.rglob("*.py")) if package.is_dir() else [package.with_suffix(".py")]
            new = [path for path in beside if path.is_file() and path not in found]
            found += new
            to_read += new
    return found


def _imported_names(file: Path) -> set[str]:
    try:
        nodes = list(ast.walk(ast.parse(file.read_bytes())))
    except (SyntaxError, ValueError):  # whoever imports it will hear of it
        return set()
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return {name.partition(".")[0] for name in names}


def folder_of(module: Any) -> Path:
    """Give the folder of a model's top-level package, or of its file outside of packages."""
    files = code_files(module)
    package = os.path.commonpath([str(file.parent) for file in files])
    return Path(os.path.abspath(package if module.__package__ else files[0].parent))


def code_hash(module: Any) -> str | None:
    """Hash the Python files of a model (see `code_files`), None if it has none."""
    files = code_files(module)
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest() if files else None


def imported_packages() -> dict[str, str]:
    """Versions of the installed packages that were imported."""
    versions = {}
    for name, module in sorted(sys.modules.items()):
        version, file = getattr(module, "__version__", None), getattr(module, "__file__", None) or ""
        if "." not in name and isinstance(version, str) and ("site-packages" in file or "dist-pack" in file):
            versions[name] = version[:64]
    return versions


def libraries() -> list[str]:
    """Folders of the interpreter, of installed packages and of the system."""
    folders = [sys.prefix, sys.base_prefix, sys.exec_prefix, site.getusersitepackages()]
    folders += [*sysconfig.get_paths().values(), *SYSTEM]
    return [spelling for folder in folders for spelling in _spellings(folder)]


class OpenedFiles:
    """Which data files Python opens for reading while it watches; an instance is a context manager.

    Python files are left out, which `code_hash` is of, and so are `libraries`, settings of the user, and what
    was written to the folder for temporary files meanwhile.

    Parameters
    ----------
    folder
        Of the model: names are relative to it, and its data count even if it is installed among libraries.
    others
        Folders whose files are none of the model's.
    """

    def __init__(self, folder: Path, others: Iterable[Path] = ()) -> None:
        self.folder = Path(os.path.abspath(folder))
        self.paths: set[str] = set()
        self._written: set[str] = set()
        self._skipped = [*libraries(), *map(os.path.expanduser, (*SETTINGS, *CREDENTIALS))]
        self._skipped += [spelling for other in others for spelling in _spellings(other)]
        self._temporary = _spellings(tempfile.gettempdir())

    def __enter__(self) -> OpenedFiles:
        _watch(self)
        return self

    def __exit__(self, *_: object) -> None:
        _watching.remove(self)

    def saw(self, path: str, *, written: bool) -> None:
        """Take note of a file that is being opened."""
        (self._written if written else self.paths).add(path)

    def skip(self, folder: Path) -> None:
        """Take one more folder for none of the model's."""
        self._skipped += [spelling for spelling in _spellings(folder) if spelling not in self._skipped]

    def hashed(self) -> list[dict[str, Any]]:
        """Give ``path`` (see `shortened`), ``sha256`` and ``size`` of each file as it is now."""
        found = {}
        for path in self.paths | set(_below_python(self.folder)):
            if self._counts(path):
                sha256, size = hash_of_file(path)
                name = shortened(path, self.folder)
                found[name] = {"path": name, "sha256": sha256, "size": size}
        return [found[name] for name in sorted(found)]

    def _counts(self, path: str) -> bool:
        if path.endswith((".py", ".pyc")) or "__pycache__" in path or not os.path.isfile(path):
            return False
        spellings = _spellings(path)
        if path in self._written and _deepest(spellings, self._temporary):
            return False
        skipped = _deepest(spellings, self._skipped)
        return not skipped or _deepest(spellings, _spellings(self.folder)) > skipped


_watching: list[OpenedFiles] = []
_heard: list[bool] = []


def _watch(opened: OpenedFiles) -> None:
    if not _heard:
        sys.addaudithook(_hear)  # it cannot be removed again
        _heard.append(True)
    _watching.append(opened)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watching or event not in ("open", "ctypes.dlopen") or not isinstance(arguments[0], (str, bytes)):
        return
    with contextlib.suppress(OSError, ValueError):  # a name that is none fails where it is opened
        path = os.path.abspath(os.fsdecode(arguments[0]))
        flags = arguments[2] if event == "open" else 0
        for opened in tuple(_watching):
            opened.saw(path, written=bool(flags & (os.O_WRONLY | os.O_CREAT | os.O_TRUNC)))


def _below_python(folder: Path) -> list[str]:
    beside = [path for path in folder.glob("*") if path.suffix in BELOW_PYTHON and path.is_file()]
    return [
        str(path)
        for path in beside
        if path.suffix not in (".h5", ".hdf5") or path.stat().st_size <= LARGEST_HDF5
    ]


def _spellings(path: Any) -> list[str]:
    """Give an absolute path as it was named and without links."""
    return list({os.path.abspath(path): 0, os.path.realpath(path): 0})


def _deepest(paths: Iterable[str], folders: Iterable[str]) -> int:
    """Length of the longest of the folders that one of the paths lies in, 0 for none."""
    within = [f for f in folders for path in paths if path == f or path.startswith(f.rstrip("/") + "/")]
    return max(map(len, within), default=0)


_hashes: dict[tuple[Any, ...], str] = {}


def hash_of_file(path: Any) -> tuple[str, int]:
    """Give the SHA-256 of a file and its size; one that has not changed is read once."""
    found = os.stat(path)
    key = (str(path), found.st_ino, found.st_size, found.st_mtime_ns)
    if key not in _hashes:
        digest = hashlib.sha256()
        with open(path, "rb") as file:
            for piece in iter(lambda: file.read(1 << 20), b""):
                digest.update(piece)
        _hashes[key] = digest.hexdigest()
    return _hashes[key], found.st_size


def shortened(path: str, folder: Path) -> str:
    """Name a file so that it can be found again and says nothing of whose machine it was on.

    Relative to the model's folder if it lies there, else from the home folder, ``~``; elsewhere whole.
    """
    for home in _spellings(os.path.expanduser("~")):
        if _deepest([path], [str(folder)]):
            name = os.path.relpath(path, folder)
            return f"./{name}" if name.startswith("~") else name
        if _deepest([path], [home]):
            return "~/" + os.path.relpath(path, home)
        homes = os.path.dirname(home)
        if homes != "/" and _deepest([path], [homes]):
            return "~" + os.path.relpath(path, homes)
    return path


def located(name: str, folder: Path) -> Path:
    """Find what `shortened` has named."""
    return folder / os.path.expanduser(name)
