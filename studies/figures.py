"""Figures as the documents show them."""

from collections.abc import Mapping
from typing import Any


def with_interval(statistics: Mapping[str, Any], scale: float = 1.0, digits: int = 2) -> str:
    """``mean (low to high)`` of ``mean`` and ``ci95``, times `scale`; a dash where there is no mean."""
    if statistics["mean"] is None:
        return "–"
    low, high = statistics["ci95"]
    return f"{scale * statistics['mean']:.{digits}f} ({scale * low:.2f} to {scale * high:.2f})"
