"""How values of the records are written in a checklist: intervals, keys, numbers with their units."""

from collections.abc import Mapping
from typing import Any

from fetal_seg.evaluation.comparison import signed
from fetal_seg.evaluation.metrics import METRICS, Metric

METRIC_OF = {metric.column: metric for metric in METRICS}
OF_NO_IMAGE = "known of no image"


def keys_text(keys: Mapping[str, Any], *, without: tuple[str, ...] = ()) -> str:
    """Keys with their values: ``lr=0.002, weight_decay=0.01``; "no keys" where there are none."""
    shown = [f"{key}={value_text(value)}" for key, value in keys.items() if key not in ("name", *without)]
    return ", ".join(shown) or "no keys"


def value_text(value: Any) -> str:
    """A value as YAML writes it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


def count(number: int, name: str) -> str:
    """``1 image``, ``12 images``."""
    return f"{number:,} {name}{'' if number == 1 else 's'}"


def mean_text(summary: Mapping[str, Any], metric: Metric) -> str:
    """A mean with its 95 % interval: ``ADF 1.83 mm (1.60 to 2.09)``."""
    values = summary[metric.column]
    if values["mean"] is None:
        return f"{metric.title} is {OF_NO_IMAGE}"
    mean, (low, high) = signed(metric.scale * values["mean"]), values["ci95"]
    shown = f"{metric.title} {mean} {metric.unit}"
    if low is None or high is None:
        return f"{shown} (no interval)"
    return f"{shown} ({signed(metric.scale * low)} to {signed(metric.scale * high)})"


def per_cent(fraction: float) -> str:
    """``90.0 %``."""
    return f"{100 * fraction:.1f} %"
