"""How many windows a model is asked about at once, and fewer where they do not fit the memory of a GPU."""

from __future__ import annotations

import functools
import gc
import sys
from collections.abc import Callable, Iterator
from typing import Any

from benchmark.models.contract import Batch
from benchmark.models.guard import asked
from benchmark.models.worker.remote import RemoteModel
from benchmark.protocols.hardware import Hardware
from cohorts.errors import ModelError

USUAL = 64
"""On a processor. More is not faster there: xresnet1d101 on 10 s at 100 Hz took 6.3 to 8.0 ms a window of one
core's time with 16, 6.1 to 7.1 with 64, 9.6 with 256 (two passes over 256 windows each)."""

LARGEST = 1024

BYTES_A_WINDOW = 64 * 2**20
"""Of a GPU's memory, for a first guess: the activations of a large network on 10 s at 500 Hz. It was never
measured on one; a guess that is too large costs one batch that is asked again."""


class BatchSize:
    """The batch size of one model.

    A model may answer a smaller batch by other sums, so that scores differ by float rounding, and no more.
    One in a worker is asked about the usual number: what it runs out of is not seen from here.

    Attributes
    ----------
    read
        Windows that are read together.
    used
        Windows that the model was last asked about together at most.
    """

    def __init__(self, hardware: Hardware, model: object) -> None:
        chosen = hardware.batch_size
        self._adapts = (
            chosen == "auto" and hardware.device.startswith("cuda") and not isinstance(model, RemoteModel)
        )
        if chosen != "auto":
            self.read = chosen
        else:
            self.read = first_guess(free_memory(hardware.device)) if self._adapts else USUAL
        self.used = self.read
        self._deadline = hardware.deadline

    def answers(
        self, what: str, model: object, ask: Callable[[Batch], Any], batch: Batch
    ) -> Iterator[tuple[slice, Any]]:
        """Ask about a batch, in pieces where the whole does not fit; halves what is asked until it does.

        Parameters
        ----------
        what
            Who is asked, for messages.
        ask
            Gives the answer to a batch.

        Yields
        ------
        tuple
            Which of the batch, and the answer to these.

        Raises
        ------
        ModelError
            If the model raises or takes too long, or one window alone does not fit.
        """
        start = 0
        while start < len(batch):
            some = slice(start, min(start + self.used, len(batch)))
            piece = batch if some == slice(0, len(batch)) else _part(batch, some)
            fitted, answer = self._tried(what, model, functools.partial(ask, piece))
            if fitted:
                yield some, answer
                start = some.stop
            elif len(piece) == 1:
                raise ModelError(f"{what} has not enough memory for one window; try --device cpu.")
            else:
                self.used = len(piece) // 2

    def _tried(self, what: str, model: object, ask: Callable[[], Any]) -> tuple[bool, Any]:
        """Give the answer, or that memory was too small; what the attempt has left there is freed."""
        through = (sys.modules["torch"].OutOfMemoryError,) if self._adapts and "torch" in sys.modules else ()
        try:
            return True, asked(what, model, ask, self._deadline, *through)
        except through:
            pass  # with the exception go the frames that hold the model's tensors
        gc.collect()
        sys.modules["torch"].cuda.empty_cache()
        return False, None


def _part(batch: Batch, some: slice) -> Batch:
    return Batch(batch.signals[some], batch.age[some], batch.sex[some])


def first_guess(free: int) -> int:
    """Windows to begin with: a power of two, so that shards are whole batches.

    Examples
    --------
    >>> [first_guess(gibibytes * 2**30) for gibibytes in (0, 8, 24, 140)]
    [1, 128, 256, 1024]
    """
    fitting = max(1, free // BYTES_A_WINDOW)
    return min(LARGEST, 1 << (fitting.bit_length() - 1))


def free_memory(device: str) -> int:
    """Bytes that nobody uses on a GPU."""
    import torch

    free, _ = torch.cuda.mem_get_info(device)
    return int(free)
