"""The MiniRocket transform for signals with several leads.

Dempster, Schmidt and Webb, "MiniRocket: A Very Fast (Almost) Deterministic Transform for Time
Series Classification", KDD 2021, arXiv 2012.08791. A fixed set of 84 kernels of length nine is
convolved with the signal at dilations that grow exponentially up to its length; a feature is the
proportion of values of one convolution that exceed one bias. With several leads a kernel sees the sum
of a random handful of them, as in the authors' published software.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from benchmark.metrics.compiled import compiled

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]

TAPS = 9
# Six taps of weight -1 and three of weight 2, so that a kernel sums to zero and ignores the baseline.
WEIGHTS: Floats = np.array(
    [[2.0 if tap in twos else -1.0 for tap in range(TAPS)] for twos in combinations(range(TAPS), 3)],
    dtype=np.float32,
)
MAX_DILATIONS = 32
MAX_LEADS = 9
GOLDEN_RATIO = (1 + 5**0.5) / 2


@dataclass(frozen=True, slots=True)
class Kernels:
    """Everything that decides the features of a signal.

    A *pair* below is one dilation with one of the 84 kernels, numbered dilation by dilation; features
    are in the order of the pairs.

    Attributes
    ----------
    dilations
        int32 ``[dilations]``, samples between two taps.
    features
        int32 ``[dilations]``, features of every pair of a dilation.
    lead_counts
        int32 ``[pairs]``, how many leads a pair adds up.
    leads
        int32 ``[lead_counts.sum()]``, their row numbers, pair after pair.
    biases
        float32 ``[84 * features.sum()]``, one a feature, in the unit of the signal.
    """

    dilations: Ints
    features: Ints
    lead_counts: Ints
    leads: Ints
    biases: Floats

    def __post_init__(self) -> None:
        pairs = len(WEIGHTS) * len(self.dilations)
        consistent = (
            len(self.features) == len(self.dilations)
            and len(self.lead_counts) == pairs
            and len(self.leads) == self.lead_counts.sum()
            and len(self.biases) == len(WEIGHTS) * self.features.sum()
            and min(self.dilations, default=0) >= 1
            and min(self.features, default=0) >= 0
            and min(self.lead_counts, default=0) >= 1
            and min(self.leads, default=0) >= 0
        )
        if not consistent:  # compiled code does not check its indices
            raise ValueError("the arrays of the MiniRocket kernels do not fit together")


@compiled
def _convolve(
    signal: Floats, leads: Ints, dilation: int, weights: Floats, padded: Floats, out: Floats
) -> None:
    """Convolve the sum of some leads with one dilated kernel, zeros beyond both ends.

    ``padded`` is scratch space of at least ``samples + 8 * dilation``.
    """
    samples = signal.shape[1]
    margin = (TAPS // 2) * dilation
    padded[:margin] = 0
    padded[margin : margin + samples] = signal[leads[0]]
    padded[margin + samples : margin + samples + margin] = 0
    for lead in leads[1:]:
        for t in range(samples):
            padded[margin + t] += signal[lead, t]
    out[:] = 0
    for tap in range(TAPS):  # one pass a tap: this inner loop vectorises, one over the taps does not
        weight = weights[tap]
        shifted = padded[tap * dilation : tap * dilation + samples]
        for t in range(samples):
            out[t] += weight * shifted[t]


@compiled
def _proportion_above(values: Floats, bias: float) -> float:
    above = 0
    for value in values:
        above += 1 if value > bias else 0  # twice as fast as adding the comparison itself
    return above / len(values)


@compiled
def _transform(
    signal: Floats,
    weights: Floats,
    dilations: Ints,
    features: Ints,
    lead_counts: Ints,
    leads: Ints,
    biases: Floats,
    out: Floats,
) -> None:
    """Fill ``out`` with the features of one record."""
    samples = signal.shape[1]
    padded = np.empty(samples + (TAPS - 1) * dilations.max(), dtype=np.float32)
    convolved = np.empty(samples, dtype=np.float32)
    pair = lead = feature = 0
    for i in range(len(dilations)):
        dilation = dilations[i]
        margin = (TAPS // 2) * dilation
        for k in range(len(weights)):
            count = lead_counts[pair]
            _convolve(signal, leads[lead : lead + count], dilation, weights[k], padded, convolved)
            pair += 1
            lead += count
            # Every other pair looks only where the kernel lies wholly within the signal.
            inside = convolved if (i + k) % 2 == 0 else convolved[margin : samples - margin]
            for _ in range(features[i]):
                out[feature] = _proportion_above(inside, biases[feature])
                feature += 1


def transform(signals: Floats, kernels: Kernels) -> Floats:
    """Compute the features of some signals, each for itself.

    Records are shared out to one thread a core. They are not Numba's own, because those are OpenMP's,
    whose number PyTorch would then find changed.

    Parameters
    ----------
    signals
        float32 ``[records, leads, samples]``.
    kernels
        From `fit_kernels` on signals of the same leads and length.

    Returns
    -------
    float32 ``[records, features]``, proportions within [0, 1].

    Raises
    ------
    ValueError
        If the kernels ask for a lead that is not there or reach further than the signal is long.
    """
    records, leads, samples = signals.shape
    if kernels.leads.max() >= leads or (TAPS - 1) * kernels.dilations.max() >= samples:
        raise ValueError(f"the MiniRocket kernels do not fit signals of {leads} leads and {samples} samples")
    signals = np.ascontiguousarray(signals, dtype=np.float32)
    features = np.empty((records, len(kernels.biases)), dtype=np.float32)

    def work(record: int) -> None:
        _transform(
            signals[record],
            WEIGHTS,
            kernels.dilations,
            kernels.features,
            kernels.lead_counts,
            kernels.leads,
            kernels.biases,
            features[record],
        )

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for _ in threads.map(work, range(records)):
            pass  # an error in a thread is raised here
    return features


def choose_dilations(samples: int, features: int) -> tuple[Ints, Ints]:
    """Spread the features of a kernel over its dilations.

    Dilations are ``floor(2 ** x)`` for ``x`` in even steps from 0 to where the kernel is as long as
    the signal; steps that give the same dilation pool their features.

    Parameters
    ----------
    samples
        Length of the signals, at least nine.
    features
        Features wanted in all; rounded down to a multiple of 84, at least one a kernel.

    Returns
    -------
    The dilations, and for each the features that each of its kernels gets, both int32.

    Raises
    ------
    ValueError
        If the signals are shorter than a kernel.
    """
    if samples < TAPS:
        raise ValueError(f"MiniRocket needs signals of at least {TAPS} samples, not {samples}")
    per_kernel = max(features // len(WEIGHTS), 1)
    steps = min(per_kernel, MAX_DILATIONS)
    exponents = np.linspace(0, np.log2((samples - 1) / (TAPS - 1)), steps)
    dilations, repeats = np.unique(np.floor(2**exponents).astype(np.int32), return_counts=True)
    counts = (repeats * per_kernel // steps).astype(np.int32)
    missing = per_kernel - counts.sum()
    counts += missing // len(counts) + (np.arange(len(counts)) < missing % len(counts))
    return dilations.astype(np.int32), counts.astype(np.int32)


def fit_kernels(examples: Floats, rng: np.random.Generator, features: int = 10_000) -> Kernels:
    """Draw the leads of every kernel and take its biases from training examples.

    The biases of a pair are quantiles, at the low-discrepancy sequence of multiples of the golden
    ratio, of its convolution with one example chosen at random.

    Parameters
    ----------
    examples
        float32 ``[records, leads, samples]``, training signals to choose from, at least one.
    rng
        The source of randomness.
    features
        As in `choose_dilations`: 10,000 gives 9,996.

    Returns
    -------
    The kernels, for signals of the same leads and length.
    """
    _, leads, samples = examples.shape
    dilations, counts = choose_dilations(samples, features)
    pairs = len(dilations) * len(WEIGHTS)
    # As in the published software: the number of leads is exponential, from one to at most nine.
    lead_counts = (2 ** rng.uniform(0, np.log2(min(leads, MAX_LEADS) + 1), pairs)).astype(np.int32)
    chosen = [rng.choice(leads, count, replace=False).astype(np.int32) for count in lead_counts]
    numbers = np.split(
        np.arange(1, len(WEIGHTS) * counts.sum() + 1), np.cumsum(np.repeat(counts, len(WEIGHTS)))[:-1]
    )
    biases = []
    padded = np.empty(2 * samples, dtype=np.float32)
    convolved = np.empty(samples, dtype=np.float32)
    for pair in range(pairs):
        example = np.ascontiguousarray(examples[rng.integers(len(examples))])
        dilation, kernel = divmod(pair, len(WEIGHTS))
        _convolve(example, chosen[pair], dilations[dilation], WEIGHTS[kernel], padded, convolved)
        biases.append(np.quantile(convolved, numbers[pair] * GOLDEN_RATIO % 1))
    return Kernels(
        dilations, counts, lead_counts, np.concatenate(chosen), np.concatenate(biases).astype(np.float32)
    )
