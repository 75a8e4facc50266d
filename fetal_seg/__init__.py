"""Segmentation of the fetal head in 2D ultrasound, and its circumference in millimetres."""

from typing import TYPE_CHECKING, Any

from fetal_seg.version import __version__

if TYPE_CHECKING:
    from fetal_seg.inference.predictor import Predictor as Predictor

__all__ = ["Predictor", "__version__"]


def __getattr__(name: str) -> Any:
    """`Predictor`, imported with torch when it is first asked for."""
    if name != "Predictor":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from fetal_seg.inference.predictor import Predictor

    return Predictor
