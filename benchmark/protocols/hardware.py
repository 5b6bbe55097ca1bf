"""How to compute: device, batch size, threads and patience."""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.models.worker.environments import FIT_SECONDS, Deadlines
from cohorts.errors import UsageError


@dataclass(frozen=True, slots=True)
class Hardware:
    """How to compute; none of it may move a score.

    Attributes
    ----------
    deadline
        Seconds that a model may take for a batch.
    fit_deadline
        Seconds that a model in a worker may take to learn.
    """

    device: str = "cpu"
    batch_size: int = 64
    workers: int = 2
    deadline: float = 300.0
    fit_deadline: float = FIT_SECONDS

    @property
    def deadlines(self) -> Deadlines:
        """Those of a model that runs in a worker though nobody asked for one."""
        return Deadlines.of(self.deadline, self.fit_deadline)

    def check(self) -> None:
        """Refuse a device that is not there, before anything is computed.

        Raises
        ------
        UsageError
            With what torch says about it.
        """
        if self.device == "cpu":
            return
        import torch

        try:
            torch.empty(0, device=self.device)
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            words = str(error).partition("\n")[0].rstrip(".")
            raise UsageError(
                f"The device '{self.device}' cannot be used here ({words}); try --device cpu."
            ) from None
