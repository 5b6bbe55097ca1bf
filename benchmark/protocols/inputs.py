"""Signals as models asked for them, kept in memory so that several models share one reading."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TypeAlias

from benchmark.models.contract import Floats
from benchmark.models.model_card import InputSpec
from benchmark.protocols.hardware import spare_memory

SHARE = 0.25
"""Of the memory that nobody uses, how much the inputs of a run may take."""

_Made: TypeAlias = dict[int, Floats]


class Inputs:
    """The windows of recordings, by cohort and by what a model asks for, up to a limit.

    What fits is read, decoded and resampled once for all models with the same input; what does not fit is
    read anew by each, so that memory does not grow with a cohort. What is kept stays until the end: models
    ask for the same records in the same order, and a memory that forgot the oldest would never have the next.

    Parameters
    ----------
    limit
        Bytes; `SHARE` of the spare memory if not given.
    """

    def __init__(self, limit: int | None = None) -> None:
        self._left = int(SHARE * spare_memory()) if limit is None else limit
        self._made: dict[tuple[int, InputSpec], tuple[object, _Made]] = {}
        self._lock = Lock()

    def of(self, source: object, spec: InputSpec) -> Callable[[int, Callable[[], Floats]], Floats]:
        """Give what looks the windows of one of a source's recordings up, or makes and keeps them.

        Parameters
        ----------
        source
            Whose recordings; it is kept alive, so that no other takes its place.
        """
        _, made = self._made.setdefault((id(source), spec), (source, {}))

        def windows(position: int, make: Callable[[], Floats]) -> Floats:
            found = made.get(position)
            if found is None:
                found = make()
                self._keep(made, position, found)
            return found

        return windows

    def _keep(self, made: _Made, position: int, windows: Floats) -> None:
        with self._lock:
            if windows.nbytes <= self._left and position not in made:
                self._left -= windows.nbytes
                windows.flags.writeable = False
                made[position] = windows
