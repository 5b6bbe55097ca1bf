"""A model that runs in a container image: the same worker, started by Docker."""

from __future__ import annotations

import contextlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmark.models.worker.environments import WORKER

DOCKER = "docker"


@dataclass(frozen=True, slots=True)
class Container:
    """An image that has a Python with numpy, and the model or what the model's file imports.

    The container sees the worker's folder and that of the model's file, both read-only and at their own
    paths, and no network: a model has no need to send recordings anywhere.

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

    @property
    def name(self) -> str:
        """What the user calls it."""
        return f"{DOCKER} image {self.image}"

    @property
    def needs(self) -> str:
        """One sentence for a user whose worker does not start."""
        return f"The image needs '{self.python}', a Python 3.8 or newer with numpy 1.20 or newer"

    def command(self, label: str, file: Path | None, device: str) -> list[str]:
        """Give the command that runs the worker in a container of this name."""
        options = ["--rm", "--interactive", "--name", label, "--network", "none"]
        options += ["--security-opt", "no-new-privileges", "--entrypoint", self.python]
        for name in self.variables:
            options += ["--env", name]
        for path in [WORKER.parent] if file is None else [WORKER.parent, file.parent]:
            options += ["--volume", f"{path}:{path}:ro"]
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
