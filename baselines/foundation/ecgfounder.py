"""ECGFounder with its authors' weights: 12 leads or one, with their filter or without.

The authors' README calls the filter mandatory; their script for PTB-XL does not apply it. Each way is an
entry of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from baselines.foundation.base import FineTunable
from baselines.foundation.layout import Layout
from baselines.foundation.maps import own_labels
from benchmark.models.label_map import scored_concepts
from benchmark.models.model_card import InputSpec, ModelCard
from cohorts.recording import STANDARD_LEADS

if TYPE_CHECKING:
    import torch
    from torch import nn


LABELS = own_labels("ecgfounder")


def _card(name: str, leads: tuple[str, ...], prepared: str) -> ModelCard:
    which = "12 leads" if len(leads) > 1 else "lead I"
    return ModelCard(
        name=name,
        version="1",
        description=f"ECGFounder on {which}, with its authors' weights; {prepared}. It scores 150 "
        "labels of its own; several of one concept are joined by the maximum.",
        licence="Code MIT; that of the weights is not stated",
        citation="Li et al. An Electrocardiogram Foundation Model Built on over 10 Million Recordings. "
        "NEJM AI 2025. arXiv:2410.04133",
        input=InputSpec(sampling_rate=500, seconds=10, leads=leads),
        outputs=scored_concepts(LABELS),
        labels=LABELS,
        probabilities=True,
        trained_on=("heedb-mgh",),
        parameters=30_819_014 if len(leads) > 1 else 30_807_750,
    )


FILTERED = "filtered as its README demands"
UNFILTERED = "not filtered, as in its authors' script for PTB-XL"


class EcgFounder(FineTunable):
    """12 leads, filtered.

    Parameters
    ----------
    device
        Where to compute, a torch device name.
    """

    published = _card("ecgfounder", STANDARD_LEADS, FILTERED)
    repository = "https://github.com/PKUDigitalHealth/ECGFounder"
    weights_file = "PKUDigitalHealth/ECGFounder"
    layout = Layout(file="12_lead_ECGFounder.pth", wrappers=("state_dict",))
    filtered: ClassVar[bool] = True

    def build(self) -> nn.Module:
        """Build the network for the leads of the card."""
        from baselines.networks.ecgfounder import EcgFounder as Network

        return Network(len(self.published.input.leads))

    def prepare(self, signals: torch.Tensor) -> torch.Tensor:
        """Filter or not, and standardise: one window ``[records, 1, leads, 5000]``."""
        from baselines.foundation.preparation import ecgfounder

        return ecgfounder(signals, filtered=self.filtered).float()[:, None]


class EcgFounderUnfiltered(EcgFounder):
    """12 leads, not filtered."""

    published = _card("ecgfounder-unfiltered", STANDARD_LEADS, UNFILTERED)
    filtered = False


class EcgFounderOneLead(EcgFounder):
    """Lead I, filtered."""

    published = _card("ecgfounder-1lead", ("I",), FILTERED)
    layout = Layout(file="1_lead_ECGFounder.pth", wrappers=("state_dict",))


class EcgFounderOneLeadUnfiltered(EcgFounderOneLead):
    """Lead I, not filtered."""

    published = _card("ecgfounder-1lead-unfiltered", ("I",), UNFILTERED)
    filtered = False
