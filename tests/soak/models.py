"""The models of the soak that learn, as cheap as they can be with checkpoints."""

from __future__ import annotations

from baselines.supervised import ResNet1d
from tests.baselines.pairs import TinySignals


class Learner(ResNet1d):
    """A network of which two epochs are enough to be killed in."""

    def __init__(self) -> None:
        super().__init__(epochs=2)


class Pairs(TinySignals):
    """Contrastive pre-training of a second."""
