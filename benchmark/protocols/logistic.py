"""L2-regularised logistic regressions of many concepts on one feature matrix, fitted together."""

from __future__ import annotations

import logging

import numpy as np
import torch
from scipy.special import logit
from torch.nn.functional import binary_cross_entropy_with_logits

from benchmark.models.contract import Floats
from benchmark.models.labels import Labels, learnable, nothing_to_learn, prevalence

logger = logging.getLogger("leadboard")

# Of a concept's mean loss, for standardised features, from strong to weak.
STRENGTHS = (100.0, 10.0, 1.0, 0.1, 0.01)
STEPS = 50  # the validation loss has settled by then


def fit_logistic(
    features: Floats,
    labels: Labels,
    validation_features: Floats,
    validation_labels: Labels,
    device: str = "cpu",
) -> tuple[Floats, Floats]:
    """Fit one regression per concept, at the L2 strength that the validation records prefer.

    A concept's loss is the mean cross-entropy over its annotated records plus
    ``strength / 2 * |weights| ** 2``; the concepts share nothing but the strength. All are minimised
    together by L-BFGS, at most 50 steps a strength, so that two matrix products a step serve them
    all. The strengths are tried from strong to weak, each from the solution before it, until the
    mean validation loss no longer falls. Intercepts are not penalised.

    Parameters
    ----------
    features, validation_features
        float32 ``[records, features]``, standardised.
    labels, validation_labels
        int8 ``[records, concepts]``, -1 is left out. A concept with a single class keeps zero weights
        and an intercept that gives its `prevalence`.
    device
        A torch device name.

    Returns
    -------
    Weights float32 ``[features, concepts]`` and intercepts float32 ``[concepts]``.
    """
    fitted = np.flatnonzero(learnable(labels))
    weights = np.zeros((features.shape[1], labels.shape[1]), dtype=np.float32)
    intercepts = logit(prevalence(labels)).astype(np.float32)
    if said := nothing_to_learn(labels):
        logger.info("logistic regression: %s", said)
        return weights, intercepts

    x = torch.from_numpy(features).to(device)
    y = torch.from_numpy(labels[:, fitted]).to(device)
    validation_x = torch.from_numpy(validation_features).to(device)
    validation_y = torch.from_numpy(validation_labels[:, fitted]).to(device)
    slopes = torch.zeros(x.shape[1], len(fitted), dtype=x.dtype, device=device, requires_grad=True)
    offsets = torch.from_numpy(intercepts[fitted]).to(device).requires_grad_()

    best = float("inf")
    for strength in STRENGTHS:
        _minimise(x, y, slopes, offsets, strength)
        with torch.no_grad():
            loss = _losses(torch.addmm(offsets, validation_x, slopes), validation_y).mean().item()
        logger.info("logistic regression: L2 strength %g, validation loss %.4f", strength, loss)
        if loss >= best:
            break
        best = loss
        weights[:, fitted] = slopes.detach().cpu().numpy()
        intercepts[fitted] = offsets.detach().cpu().numpy()
    return weights, intercepts


def _minimise(
    x: torch.Tensor, y: torch.Tensor, slopes: torch.Tensor, offsets: torch.Tensor, strength: float
) -> None:
    """Move ``slopes`` and ``offsets`` to the minimum of the penalised loss."""
    optimiser = torch.optim.LBFGS([slopes, offsets], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = _losses(torch.addmm(offsets, x, slopes), y).sum() + strength / 2 * slopes.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]


def _losses(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of each concept over its annotated records, 0 where it has none."""
    annotated = labels >= 0
    losses = binary_cross_entropy_with_logits(logits, labels.clamp(min=0).float(), reduction="none")
    return (losses * annotated).sum(dim=0) / annotated.sum(dim=0).clamp(min=1)
