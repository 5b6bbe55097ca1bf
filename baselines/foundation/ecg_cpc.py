"""ECG-CPC: a small state-space model that has learnt to predict what comes next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from baselines.foundation.base import FineTunable
from baselines.foundation.layout import Layout
from baselines.training.recipes import Recipe
from benchmark.models.model_card import InputSpec, ModelCard

if TYPE_CHECKING:
    import torch

    from baselines.networks.s4 import EcgCpc as Network
    from baselines.training.windows import WindowClassifier

RATE = 240
WINDOW = 600
NODES = "predictor.predictor.s4_layers.0.kernel.kernel.omega"
"""The tensor that tells the longest recording: it has half as many rows, and one."""


class EcgCpc(FineTunable):
    """The encoder and predictor of ``AI4HealthUOL/ecg-fm-benchmarking`` (commit 6367295)."""

    published = ModelCard(
        name="ecg-cpc",
        version="1",
        description="Convolutions and four state-space layers (S4) at 240 Hz, pre-trained by contrastive "
        "prediction; four windows of 2.5 s, averaged.",
        licence="Not stated, neither for code nor for weights",
        citation="Al-Masud, Alcaraz, Strodthoff. Benchmarking ECG Foundational Models: A Reality Check "
        "Across Clinical Tasks. ICLR 2026. "
        "arXiv:2509.25095",
        input=InputSpec(sampling_rate=RATE, seconds=10),
        outputs=(),
        trained_on=("heedb-mgh", "heedb-emory"),
        parameters=2_932_736,
    )
    repository = "https://github.com/AI4HealthUOL/ecg-fm-benchmarking"
    at_once = 2  # eight windows: what its layers make of more is beyond a processor's cache
    weights_file = "ecg_cpc.ckpt"  # in a zip file of figshare; its own name is not stated
    layout = Layout(prefix="ts_encoder.", ignored=(r"head_ssl\..*",))
    recipe = Recipe("", epochs=10, batch_size=64, least_steps=4, learning_rate=1e-4, weight_decay=1e-3)

    def __init__(self, device: str = "cpu") -> None:
        super().__init__(device)
        self._length = 1200

    def build(self) -> Network:
        """Build the network for recordings as long as the weights know."""
        from baselines.networks.s4 import EcgCpc as Network

        return Network(self._length)

    def convert(self, file: str, folder: Path) -> str:
        """Check the authors' file, whose tensors tell the longest recording, and write what `load` reads."""
        from baselines.foundation.official import tensors_of

        nodes = tensors_of(file, self.layout).get(self.layout.prefix + NODES)
        if nodes is not None and nodes.ndim == 2 and len(nodes) > 1:
            self._length = 2 * (len(nodes) - 1)
        return super().convert(file, folder)

    def load(self, folder: Path) -> None:
        """Restore what `convert` or `save` wrote, or raise `ModelError`."""
        from baselines.foundation.official import shapes

        found = (shape for name, shape in shapes(folder).items() if name.endswith(NODES))
        self._length = next((2 * (shape[0] - 1) for shape in found), self._length)
        super().load(folder)

    def prepare(self, signals: torch.Tensor) -> torch.Tensor:
        """Cut windows of 2.5 s side by side; nothing is filtered or normalised."""
        from baselines.foundation.windows import windows_with_signal

        return windows_with_signal(signals, WINDOW, WINDOW)


class EcgCpcAttention(EcgCpc):
    """The encoder as it is, and its authors' head for it: a query that looks at all tokens of a window.

    It is how the authors evaluate a frozen encoder, with their numbers; the layer of the outputs has a bias
    here, which starts where the labels are, as in every training of the suite.
    """

    published = EcgCpc.published.model_copy(
        update={
            "name": "ecg-cpc-attention",
            "description": "ECG-CPC under its authors' attention head. The encoder stays as it is: where "
            "this model is fine-tuned, a query that looks at its tokens and the layer of the outputs are "
            "trained and nothing else.",
        }
    )
    protocols = ("fine-tune-10", "fine-tune-100")  # its features are those of ecg-cpc before that
    recipe = Recipe(
        "",
        epochs=100,
        batch_size=64,
        least_steps=4,
        learning_rate=1e-3,
        weight_decay=1e-3,
        schedule="constant",
    )

    def trained_part(self, network: Any) -> Any:
        """Give the encoder, also of a model that has learnt already."""
        from baselines.networks.s4 import Attended

        return network.encoder if isinstance(network, Attended) else network

    def _new_classifier(self, encoder: Any, outputs: int) -> WindowClassifier:
        from baselines.networks.s4 import Attended

        return super()._new_classifier(Attended(encoder), outputs)
