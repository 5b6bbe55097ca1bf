"""Somebody who types what the documentation tells them to, into a shell of their own."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import warnings
from pathlib import Path

from tests.commands import command

ROOT = Path(__file__).parents[1]
NO_NETWORK = ("Connection", "connection", "Temporary failure", "No matching distribution")
"""What pip says where it reaches no index."""


class Reader:
    """Somebody who types into a shell whose `leadboard` and `python` are those of this checkout."""

    def __init__(self, home: Path, python: str = sys.executable) -> None:
        self.home = home
        programs = home / "programs"
        programs.mkdir()
        for name, call in (
            ("leadboard", " -m benchmark"),
            ("python", ""),
            ("python3", ""),
            ("pip", " -m pip"),
        ):
            (programs / name).write_text(f'#!/bin/sh\nexec "{python}"{call} "$@"\n')
            (programs / name).chmod(0o755)
        kept = {
            key: value for key, value in os.environ.items() if not key.startswith(("LEADBOARD_", "PYTHON"))
        }
        self.environment = {
            **kept,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "LEADBOARD_CACHE": str(home / "cache"),
            "PIP_RETRIES": "0",
        }

    def tries(self, line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ("/bin/sh", "-c", line),
            cwd=self.home,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=200,
            stdin=subprocess.DEVNULL,
        )

    def types(self, line: str) -> str:
        """Type one line, which has to succeed; what it prints."""
        if line.startswith("leadboard ") and "*" not in line:
            with warnings.catch_warnings(action="ignore"):  # of the models
                return command(self.home, *shlex.split(line)[1:]).out
        answer = self.tries(line)
        assert answer.returncode == 0, f"{line}\n{answer.stdout}\n{answer.stderr}"
        return answer.stdout
