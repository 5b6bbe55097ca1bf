"""The convolution kernel of a structured state space (S4), from its stored parts.

Gu, Goel and Ré, "Efficiently Modeling Long Sequences with Structured State Spaces", ICLR 2022, arXiv
2111.00396: the matrix is diagonal plus rank one, discretised by the bilinear rule; the start is HiPPO-LegS
of Gu, Dao, Ermon, Rudra and Ré, NeurIPS 2020, arXiv 2008.07669. Names and layout of the tensors are those of
``AI4HealthUOL/ecg-fm-benchmarking`` (commit 6367295), so that checkpoints load here: a complex number is two
real ones on the last axis, and of each conjugate pair one half is stored.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

PAIRS = 4
"""Conjugate pairs of a feature; its state has twice as many numbers."""

Complex = npt.NDArray[np.complex128]


class Kernel(nn.Module):
    """Kernels of ``features`` sequences, for one direction or for both.

    Only ``C`` is learnt, as in the authors' code. It holds the correction for the length, I - A^L with the
    discrete matrix A.

    Parameters
    ----------
    features
        Sequences side by side, each with a kernel of its own.
    directions
        1 for the past alone, 2 for the past and the future.
    length
        Longest kernel, an even number of samples.
    """

    log_dt: torch.Tensor
    omega: torch.Tensor
    z: torch.Tensor
    B: torch.Tensor
    P: torch.Tensor
    Q: torch.Tensor
    w: torch.Tensor

    def __init__(self, features: int, directions: int, length: int) -> None:
        super().__init__()
        diagonal, entry, low_rank = _start()
        # Drawn on the processor, whatever the device: the start is worked out with NumPy.
        step = torch.empty(features, device="cpu").uniform_(math.log(0.001), math.log(0.1))
        free = torch.randn(directions, features, PAIRS, dtype=torch.complex128, device="cpu")
        full = _corrected(free.numpy(), step.double().exp().numpy(), diagonal, low_rank, length)
        self.C = nn.Parameter(_stored(full))
        omega, z = _nodes(length)
        self.register_buffer("omega", _stored(omega))
        self.register_buffer("z", _stored(z))
        self.register_buffer("log_dt", step)
        self.register_buffer("B", _stored(np.tile(entry, (1, features, 1))))
        self.register_buffer("P", _stored(np.tile(low_rank, (1, features, 1))))
        self.register_buffer("w", _stored(np.tile(diagonal, (features, 1))))
        self.register_buffer("Q", _stored(np.tile(low_rank.conj(), (1, features, 1))))
        self._known: tuple[list[tuple[int, int]], list[torch.Tensor], torch.Tensor] | None = None

    def forward(self, samples: int) -> torch.Tensor:
        """Give the first samples of all kernels, ``[directions, features, samples]``, in double precision.

        A network that only answers works them out once: they take longer than a batch of recordings.

        Raises `ValueError` if they have not as many.
        """
        length = 2 * (len(self.omega) - 1)
        if samples > length:
            raise ValueError(f"these kernels have {length} samples, not {samples}")
        parts = (self.C, self.omega, self.z, self.log_dt, self.B, self.P, self.w, self.Q)
        if self.training or torch.is_grad_enabled() or any(part.is_inference() for part in parts):
            self._known = None
            return self._worked_out(length)[..., :samples]
        state = [(part.data_ptr(), part._version) for part in parts]  # every change in place is counted
        if self._known is None or self._known[0] != state:
            # Held, so that no other values can come to lie at the same addresses.
            self._known = state, [part.detach() for part in parts], self._worked_out(length)
        return self._known[2][..., :samples]

    def _worked_out(self, length: int) -> torch.Tensor:
        step = self.log_dt.double().exp()[:, None]
        z, w = _complex(self.z), _complex(self.w) * step
        one, other = 1 / (z - w[..., None]), 1 / (z - w.conj()[..., None])

        def through(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
            """Sum over the pairs: ``[..., features, nodes]``."""
            product = a * b * step
            return torch.einsum("...hn,hnk->...hk", product, one) + torch.einsum(
                "...hn,hnk->...hk", product.conj(), other
            )

        b, c, p, q = (_complex(stored) for stored in (self.B, self.C, self.P, self.Q))
        spectrum = through(b, c) - through(b, q) * through(p, c) / (1 + through(p, q))
        kernel: torch.Tensor = torch.fft.irfft(2 / (1 + _complex(self.omega)) * spectrum, n=length)
        return kernel


def convolve(x: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    """Convolve sequences with their kernels.

    Parameters
    ----------
    x
        ``[records, features, samples]``.
    kernel
        ``[directions, features, samples]``. The first begins with the present and goes back, the second
        begins with the next sample and goes on.
    """
    samples = x.shape[-1]
    if x.dtype == torch.bfloat16:  # which a GPU has no Fourier transform for
        x = x.float()
    around = nn.functional.pad(kernel[0], (0, samples))
    if len(kernel) == 2:
        around = around + nn.functional.pad(kernel[1].flip(-1), (samples, 0))
    spectrum = torch.fft.rfft(x, n=2 * samples) * torch.fft.rfft(around.to(x.dtype))
    convolved: torch.Tensor = torch.fft.irfft(spectrum, n=2 * samples)
    return convolved[..., :samples]


def _complex(stored: torch.Tensor) -> torch.Tensor:
    numbers: torch.Tensor = torch.view_as_complex(stored.double().contiguous())
    return numbers


def _stored(numbers: Complex) -> torch.Tensor:
    return torch.from_numpy(np.stack([numbers.real, numbers.imag], axis=-1)).float()


def _nodes(length: int) -> tuple[Complex, Complex]:
    """Nodes of the generating function on the unit circle, and what the bilinear rule makes of them.

    The last one lies at infinity; in single precision, in which it is stored, it is a large number.
    """
    omega = (
        np.exp(-2j * np.pi * np.arange(length // 2 + 1) / length).astype(np.complex64).astype(np.complex128)
    )
    return omega, 2 * (1 - omega) / (1 + omega)


def _start() -> tuple[Complex, Complex, Complex]:
    """HiPPO-LegS as a diagonal and rank one: eigenvalues, input vector and low-rank vector of `PAIRS` pairs.

    An eigenvector may be turned by any phase. Here it is the one that makes the low-rank vector real.
    """
    n = np.arange(2 * PAIRS)
    root, low_rank = np.sqrt(2 * n + 1), np.sqrt(n + 0.5)
    matrix = -np.tril(np.outer(root, root), -1) - np.diag(n + 1.0)
    turning = -1j * (matrix + np.outer(low_rank, low_rank) + np.eye(len(n)) / 2)  # Hermitian
    frequencies, vectors = np.linalg.eigh(turning)
    upper = np.argsort(-frequencies)[:PAIRS]
    seen = np.abs(vectors[:, upper].conj().T @ low_rank).astype(np.complex128)
    return -0.5 + 1j * frequencies[upper], np.sqrt(2) * seen, seen


def _corrected(
    free: Complex, step: npt.NDArray[np.float64], diagonal: Complex, low_rank: Complex, length: int
) -> Complex:
    """Multiply the output vectors with I - A^L, so that a kernel of this length ends where it should."""
    both = np.concatenate([diagonal, diagonal.conj()])
    p = np.concatenate([low_rank, low_rank.conj()])
    matrix = np.diag(both) - np.outer(p, p.conj())
    half = step[:, None, None] / 2 * matrix
    one = np.eye(len(both))
    discrete = np.linalg.solve(one - half, one + half)
    correction = one - np.linalg.matrix_power(discrete, length)
    row = np.concatenate([free, free.conj()], axis=-1)
    corrected: Complex = np.einsum("dhn,hnm->dhm", row, correction)[..., :PAIRS]
    return corrected
