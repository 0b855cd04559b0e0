"""What a framework's error means."""

from __future__ import annotations

__all__ = ["out_of_memory"]

# TensorFlow and JAX; JAX and PyTorch; cuDNN and cuBLAS under any of them; PyTorch on a CPU. No underscores.
OUT_OF_MEMORY = (
    "resourceexhausted", "out of memory", "allocfailed", "can't allocate memory", "not enough memory",
)  # fmt: skip


def out_of_memory(error: Exception) -> bool:
    """Whether memory ran out; each framework has an exception and words of its own."""
    text = f"{type(error).__name__} {error}".lower().replace("_", "")
    return isinstance(error, MemoryError) or any(words in text for words in OUT_OF_MEMORY)
