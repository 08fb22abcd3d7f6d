"""Pictures on the GPU: find faces, verify them, crop and read them, many frames at a time.

The public names load on first use, and Keras with them.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .backend import limit_gpu_memory
    from .finder import GpuFinder
    from .frames import FrameBatch
    from .passes import DetectorPass
    from .reader import GpuReader
else:
    from ..lazy_names import lazy

    __getattr__, __dir__ = lazy(
        __name__,
        {
            ".backend": ["limit_gpu_memory"],
            ".finder": ["GpuFinder"],
            ".frames": ["FrameBatch"],
            ".passes": ["DetectorPass"],
            ".reader": ["GpuReader"],
        },
    )

__all__ = ["DetectorPass", "FrameBatch", "GpuFinder", "GpuReader", "limit_gpu_memory"]
