"""Options of a model that is not to run in this process: an interpreter or a container."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import Parameter
from pydantic import ConfigDict

from benchmark.commands.options import Gibibytes, Repeated, Seconds, noting_given
from cohorts.errors import UsageError

if TYPE_CHECKING:
    from benchmark.models.worker.environments import Launcher, WorkerEnvironment


@Parameter(name="*")
@dataclass(frozen=True)
class ElsewhereOptions:
    """Where a model runs that is not to run in this process.

    Attributes
    ----------
    python
        Interpreter that models given by file or module run in, such as /path/to/env/bin/python.
    container
        Image that they run in instead, with Docker.
    memory
        GiB that a model in another environment may use.
    env
        Variable of the environment that such a model may see beside those that are harmless; may be repeated.
    fit_deadline
        Seconds that such a model may take to learn.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    python: str | None = None
    container: str | None = None
    memory: Gibibytes | None = None
    env: Repeated = ()
    fit_deadline: Seconds = 86_400.0

    def environment(self, deadline: float, model: str = "") -> WorkerEnvironment | None:
        """Give the environment that models are to run in, None for this process.

        Parameters
        ----------
        model
            The only one that is meant, if it is one alone: an installed one would be asked here all the same.

        Raises
        ------
        UsageError
            If both kinds are given, a limit without an environment, or an environment for an installed model.
        """
        from benchmark.models.worker.environments import Deadlines, WorkerEnvironment

        if self.python and self.container:
            raise UsageError("--python and --container are two environments; give one of them.")
        if self.python or self.container:
            self._refuse_installed(model)
            return WorkerEnvironment(self._launcher(), Deadlines.of(deadline, self.fit_deadline))
        if self.memory is not None or self.env:
            option, does = ("--memory", "limits") if self.env == () else ("--env", "is for")
            raise UsageError(
                f"{option} {does} a model in another environment; give --python or --container too."
            )
        return None

    def _refuse_installed(self, model: str) -> None:
        from benchmark.models.plugins import installed_models

        if model in installed_models():
            option = "--python" if self.python else "--container"
            raise UsageError(
                f"{option} is for models given by file or module, and {model} is an installed one, which "
                "runs in this process; leave the option out."
            )

    def _launcher(self) -> Launcher:
        size = None if self.memory is None else int(self.memory * 2**30)
        if self.python:
            from benchmark.models.worker.environments import Interpreter

            return Interpreter(_absolute(self.python), size, self.env)
        from benchmark.models.worker.containers import Container

        return Container(self.container or "", memory=size, variables=self.env)


noting_given(ElsewhereOptions)
HERE = ElsewhereOptions()
"""In this process."""


def _absolute(program: str) -> str:
    """Give the whole path of a program, unless the shell would look for its name."""
    return str(Path(program).expanduser().absolute()) if "/" in program else program
