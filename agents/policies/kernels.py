"""Which kernels compute attention on a GPU: all but cuDNN's.

PyTorch prefers those on Hopper, and they are planned anew for every shape, which takes the processor several times as
long as the GPU works for a forward pass. Here hardly two batches have one shape (benchmarks/LOG.md, 2026-11-27).
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from torch.nn.attention import SDPBackend, sdpa_kernel

_BACKENDS = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]


def planned_once() -> AbstractContextManager[None]:
    """A context in which attention is computed by kernels that fit any shape."""
    return sdpa_kernel(_BACKENDS)
