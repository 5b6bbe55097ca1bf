"""What the suite and a worker both do with a model: make it, and see which files it opens.

Python 3.8 or newer and its standard library: the worker takes this file from beside itself.
"""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import os
import site
import sys
import sysconfig
import tempfile
import time
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


def construct(model_class: Any, device: str) -> Any:
    """Make an instance; ``device`` is handed over if the constructor has such a parameter."""
    try:
        takes_device = "device" in inspect.signature(model_class).parameters
    except ValueError:  # some classes of C extensions have no signature
        takes_device = False
    return model_class(device=device) if takes_device else model_class()


def with_card(model_class: Any, card: Any) -> Any:
    """Give a class without a card another one, such as that which lies beside its file; None for none."""
    if card is None or not isinstance(model_class, type) or hasattr(model_class, "card"):
        return model_class
    return type(model_class.__name__, (model_class,), {"card": card, "__module__": model_class.__module__})


def lacking(model: Any) -> str:
    """Say which of the two things that make a model an object does not have; empty if it has both."""
    absent = ["'card'"] if getattr(model, "card", None) is None else []
    absent += [] if callable(getattr(model, "predict", None)) else ["'predict'"]
    return f"no {' and no '.join(absent)}; a model has both" if absent else ""


class NoNumbersError(Exception):
    """An answer of a model is no array of real numbers; the message says what it is."""


def numbers(answer: Any, numpy: Any) -> Any:
    """Give what a model has answered as an array; tensors may lie anywhere, have gradients, or be bfloat16.

    Raises
    ------
    NoNumbersError
        If it is something else.
    """
    if hasattr(answer, "keys"):
        keys = ", ".join(str(key)[:30] for key in list(answer.keys())[:5])
        raise NoNumbersError(f"a {type(answer).__name__} ({keys}) instead of real numbers; return an array")
    try:
        array = numpy.asarray(_without_tensors(answer))
    except ValueError:  # rows or parts of different lengths
        array = None
    if array is not None and array.dtype.name == "bfloat16":
        array = array.astype("float32")
    if answer is None:
        raise NoNumbersError("nothing (None) instead of real numbers; does it end with 'return'?")
    if array is None or array.dtype.kind == "O":
        raise NoNumbersError(f"{_kind_of(answer)} instead of real numbers; return an array of them")
    if array.dtype.kind not in "iuf":
        kind = "text" if array.dtype.kind in "US" else array.dtype
        raise NoNumbersError(f"{kind} instead of real numbers")
    return array


def _without_tensors(answer: Any) -> Any:
    """Give what NumPy can read of a tensor, or of a list of them such as one for each record."""
    if isinstance(answer, (list, tuple)):
        return [_without_tensors(one) for one in answer]
    if not (hasattr(answer, "detach") and hasattr(answer, "cpu")):
        return answer
    tensor = answer.detach().cpu()
    return tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor  # NumPy has no bfloat16


def _kind_of(answer: Any) -> str:
    """Say what an answer is, and of a list what it holds."""
    if isinstance(answer, (list, tuple)):
        parts = ", ".join(dict.fromkeys(type(one).__name__ for one in answer))
        return f"a {type(answer).__name__} of {len(answer)} ({parts[:100]})"
    dtype = " of objects" if getattr(getattr(answer, "dtype", None), "kind", "") == "O" else ""
    return type(answer).__name__ + dtype


def imported_packages() -> dict[str, str]:
    """Versions of the installed packages that were imported."""
    versions = {}
    for name, module in sorted(sys.modules.items()):
        version, file = getattr(module, "__version__", None), getattr(module, "__file__", None) or ""
        if "." not in name and isinstance(version, str) and ("site-packages" in file or "dist-pack" in file):
            versions[name] = version[:64]
    return versions


PACKAGES = ("site-packages", "dist-packages")


def libraries() -> list[str]:
    """Folders of the interpreter, of installed packages and of the system."""
    folders = [sys.prefix, sys.base_prefix, sys.exec_prefix, site.getusersitepackages()]
    folders += [*sysconfig.get_paths().values(), *SYSTEM]
    folders += [path for path in sys.path if os.path.basename(path) in PACKAGES]  # of another environment
    return [spelling for folder in folders for spelling in spellings(folder)]


class OpenedFiles:
    """Which data files Python opens for reading while it watches; an instance is a context manager.

    Python files are left out, which `modules.code_hash` is of, and so are `libraries`, settings of the user,
    and what was written to the folder for temporary files meanwhile.

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
        self._own: dict[str, bool] = {}
        self._skipped = [*libraries(), *map(os.path.expanduser, (*SETTINGS, *CREDENTIALS))]
        self._skipped += [spelling for other in others for spelling in spellings(other)]
        self._temporary = spellings(tempfile.gettempdir())

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
        new = [spelling for spelling in spellings(folder) if spelling not in self._skipped]
        if new:
            self._skipped += new
            self._own.clear()

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
        if path.endswith((".py", ".pyc")) or "__pycache__" in path:
            return False
        if path not in self._own:  # asked twice a cell of hundreds of files of libraries
            named = _spellings_of_file(path)
            skipped = deepest(named, self._skipped)
            self._own[path] = not skipped or deepest(named, spellings(self.folder)) > skipped
        if not self._own[path] or not os.path.isfile(path):
            return False
        return path not in self._written or not deepest(spellings(path), self._temporary)


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


def spellings(path: Any) -> list[str]:
    """Give an absolute path as it was named and without links."""
    return list({os.path.abspath(path): 0, os.path.realpath(path): 0})


_spelt: dict[str, list[str]] = {}


def _spellings_of_file(path: str) -> list[str]:
    """The same for all models: files of libraries are opened by dozens of them."""
    if path not in _spelt:
        _spelt[path] = spellings(path)
    return _spelt[path]


def deepest(paths: Iterable[str], folders: Iterable[str]) -> int:
    """Length of the longest of the folders that one of the paths lies in, 0 for none."""
    within = [f for f in folders for path in paths if path == f or path.startswith(f.rstrip("/") + "/")]
    return max(map(len, within), default=0)


SETTLED = 2.0
"""Seconds after which another change of a file has another time, whatever the clock of its file system."""

_hashes: dict[tuple[Any, ...], str] = {}


def hash_of_file(path: Any) -> tuple[str, int]:
    """Give the SHA-256 of a file and its size; one that has not changed is read once in a process.

    A file that was exchanged or written to has another inode, size or time. One that was changed a moment ago
    might be changed again within the same tick of the clock: what it holds is not remembered.
    """
    found = os.stat(path)
    key = (str(path), found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    if key in _hashes:
        return _hashes[key], found.st_size
    digest, began = hashlib.sha256(), time.time()
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    if began - max(found.st_mtime, found.st_ctime) > SETTLED:
        _hashes[key] = digest.hexdigest()
    return digest.hexdigest(), found.st_size


def shortened(path: str, folder: Path) -> str:
    """Name a file so that it can be found again and says nothing of whose machine it was on.

    Relative to the model's folder if it lies there, else from the home folder, ``~``; elsewhere whole.
    """
    for home in spellings(os.path.expanduser("~")):
        if deepest([path], [str(folder)]):
            name = os.path.relpath(path, folder)
            return f"./{name}" if name.startswith("~") else name
        if deepest([path], [home]):
            return "~/" + os.path.relpath(path, home)
        homes = os.path.dirname(home)
        if homes != "/" and deepest([path], [homes]):
            return "~" + os.path.relpath(path, homes)
    return path


def located(name: str, folder: Path) -> Path:
    """Find what `shortened` has named."""
    return folder / os.path.expanduser(name)
