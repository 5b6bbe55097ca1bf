"""A model that runs in a container image: the same worker, started by Docker."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmark.models.worker.environments import NOTHING, WORKER

DOCKER = "docker"

REFUSED = 125
"""Exit code with which Docker itself fails, before anything runs in a container."""


@dataclass(frozen=True, slots=True)
class Container:
    """An image that has a Python with numpy, and the model or what the model's file imports.

    The container sees the worker's folder, that of the model's file and the weights that it is to load, all
    read-only, and to learn the folder of what it makes; each at its own path. It has no network: a model has
    no need to send recordings anywhere.

    Attributes
    ----------
    image
        Name of an image that Docker finds or may pull.
    memory
        Bytes that the container may use.
    variables
        Names of the environment's variables that it is given; otherwise it sees none of them.
    """

    image: str
    python: str = "python3"
    memory: int | None = None
    variables: tuple[str, ...] = ()
    address_space = None  # Docker sets the limit
    shown = True

    @property
    def name(self) -> str:
        """What the user calls it."""
        return f"{DOCKER} image {self.image}"

    @property
    def needs(self) -> str:
        """One sentence for a user whose worker does not start."""
        return f"The image needs '{self.python}', a Python 3.8 or newer with numpy 1.20 or newer"

    def advice(self, code: int | None) -> str:
        """Tell apart that there is no Docker, that it cannot start the image, and that there is no Python."""
        if code is None:
            return f"Install Docker, so that '{DOCKER}' is a command here, or use --python"
        if code == REFUSED:
            return f"'{DOCKER} run --rm {self.image}' has to work first: engine, rights and image"
        return self.needs

    def command(
        self, label: str, file: Path | None, device: str, folders: Mapping[Path, bool] = NOTHING
    ) -> list[str]:
        """Give the command that runs the worker in a container of this name."""
        options = ["--rm", "--interactive", "--name", label, "--network", "none"]
        options += ["--security-opt", "no-new-privileges", "--entrypoint", self.python]
        for name in self.variables:
            options += ["--env", name]
        for path in [WORKER.parent] if file is None else [WORKER.parent, file.parent]:
            options += ["--volume", f"{path}:{path}:ro"]
        for path, writable in folders.items():
            options += ["--volume", f"{path}:{path}{'' if writable else ':ro'}"]
        if self.memory is not None:
            options += ["--memory", str(self.memory)]
        if device.startswith("cuda"):
            options += ["--gpus", "all"]
        return [DOCKER, "run", *options, self.image, "-u", str(WORKER)]

    def environment(self) -> dict[str, str]:
        """Give Docker's own command what it may need to find its engine; none of it reaches the container."""
        return dict(os.environ)

    def stop(self, label: str) -> None:
        """Kill the container; killing its client would leave it running."""
        with contextlib.suppress(subprocess.TimeoutExpired):  # a Docker that hangs cannot be helped
            subprocess.run([DOCKER, "kill", label], capture_output=True, timeout=60, check=False)  # noqa: S603
