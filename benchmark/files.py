"""Writing files so that a reader never meets half of one."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from cohorts.errors import LeadboardError


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write to a temporary file in the same folder, then rename it into place.

    Raises
    ------
    LeadboardError
        If the folder cannot be written to or the disk is full; nothing is left behind.
    """
    data = content.encode() if isinstance(content, str) else content
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise LeadboardError(
            f"Cannot write {path}: {error.strerror}; free some space or choose another folder."
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def sha256_of_folder(folder: Path) -> str:
    """Hash names and contents of all files below ``folder``."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
