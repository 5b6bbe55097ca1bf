"""How to compute: device, batch size, threads and patience."""

from __future__ import annotations

from dataclasses import dataclass

from cohorts.errors import UsageError


@dataclass(frozen=True, slots=True)
class Hardware:
    """How to compute; none of it may move a score.

    Attributes
    ----------
    deadline
        Seconds that a model may take for a batch.
    """

    device: str = "cpu"
    batch_size: int = 64
    workers: int = 2
    deadline: float = 300.0

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
