"""The manifest of a submission: which files it has, with the hash of each."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from benchmark.files import MOST_TABLE_BYTES, sha256_of

MANIFEST, CARD, ENVIRONMENT, README = "manifest.json", "card.json", "environment.json", "README.md"
RECORDS, PREDICTIONS, VALIDATIONS = "records", "predictions", "validation"


class Manifest(BaseModel):
    """``manifest.json``: the files of a submission by path, with the SHA-256 of their bytes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = 1
    model: str
    files: dict[str, str]

    @property
    def folder(self) -> str:
        """Name of the folder: of the model, and a hash of all that is in it."""
        return folder_name(self.model, self.files)


def folder_name(model: str, files: dict[str, str]) -> str:
    """Name a folder by a model and a hash of the files in it, which are given with theirs."""
    content = json.dumps([model, files], sort_keys=True)
    return f"{model}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"


class Environment(BaseModel):
    """``environment.json``: the run that the records are from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int
    resamples: int
    environment: dict[str, str]


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder by its path, but the manifest; nothing else is opened."""
    paths = sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return {
        path.relative_to(folder).as_posix(): _why_not_hashed(path) or sha256_of(path)
        for path in paths
        if path != folder / MANIFEST
    }


def _why_not_hashed(path: Path) -> str:
    """Say what stands in the place of a hash for what no submission has; empty for a file."""
    if path.is_symlink() or not path.is_file():
        return "no plain file"
    return "too large" if path.stat().st_size > MOST_TABLE_BYTES else ""
