"""How far a segmentation is from the truth: overlap, distances in mm, and head circumference.

`METRICS` says what is told of each image. To add one: a row there, a function here, a line in ``scoring``.

Notation: masks are arrays (height, width), non-zero in the head; ellipses are in pixels of the same
image; `pixel_size_mm` is the side of a pixel, so that 1.0 (the default) gives distances in px.

Nothing to compare, the same everywhere: where both are empty (a mask without a pixel, an ellipse that is
None) they agree, Dice and IoU are 1 and distances 0; where one is, Dice and IoU are 0 and distances infinite.
Nothing here is ever NaN.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fetal_seg.geometry.arrays import FloatArray
from fetal_seg.geometry.ellipse import Ellipse

BoolMask = NDArray[np.bool_]


@dataclass(frozen=True)
class Metric:
    """A number of each image, and how it is shown.

    Attributes:
        column: of ``per_image.csv``, and its key in ``summary.json``.
        title: its name.
        unit: it is shown in: ``%`` for an overlap, which files have as 0 to 1, or ``mm``.
        direction: 1 where higher is better, -1 where lower is, 0 where neither is.
        in_run_record: whether its mean is a final metric of a run.
        needs_pixel_size: whether it is unknown where the pixel size is.
    """

    column: str
    title: str
    unit: str
    direction: int
    in_run_record: bool = False
    needs_pixel_size: bool = False

    @property
    def is_overlap(self) -> bool:
        """Whether a missed head has the value 0; it has no length."""
        return self.unit == "%"

    @property
    def scale(self) -> float:
        """From the unit of the files to the one shown."""
        return 100.0 if self.is_overlap else 1.0

    @property
    def heading(self) -> str:
        """``ellipse Dice, %``."""
        return f"{self.title}, {self.unit}"

    @property
    def difference_unit(self) -> str:
        """What differences are told in: ``points of Dice``, ``mm of ADF``."""
        return f"{'points' if self.is_overlap else self.unit} of {self.title.removeprefix('ellipse ')}"


ELLIPSE_DICE = Metric("ellipse_dice", "ellipse Dice", "%", 1, in_run_record=True)
ELLIPSE_HD = Metric("ellipse_hd_mm", "ellipse HD", "mm", -1, in_run_record=True)
ADF = Metric("adf_mm", "ADF", "mm", -1, in_run_record=True)
METRICS = (  # in the order of the files
    Metric("dice", "Dice", "%", 1, in_run_record=True),
    Metric("iou", "IoU", "%", 1),
    Metric("hd_mm", "HD", "mm", -1),
    Metric("hd95_mm", "HD95", "mm", -1),
    Metric("assd_mm", "ASSD", "mm", -1),
    Metric("nsd_1mm", "NSD at 1 mm", "%", 1, needs_pixel_size=True),
    ELLIPSE_DICE,
    ELLIPSE_HD,
    Metric("hc_true_mm", "HC true", "mm", 0),
    Metric("hc_pred_mm", "HC pred.", "mm", 0),
    Metric("df_mm", "DF", "mm", 0, in_run_record=True),
    ADF,
)
TOLERANCE_MM = 1.0  # of the NSD: what two sonographers differ by (docs/accuracy.md)
COMPARED = (ELLIPSE_DICE, ADF, ELLIPSE_HD)  # by which runs are compared


def dice(prediction: ArrayLike, truth: ArrayLike) -> float:
    """Twice the common area by the sum of the areas, 0 to 1.

    Raises:
        ValueError: the masks differ in shape.

    >>> print(dice([[1, 1, 0, 0]], [[0, 1, 1, 0]]))
    0.5
    >>> print(dice([[0, 0]], [[0, 0]]), dice([[0, 0]], [[0, 1]]))  # nothing was there; one was missed
    1.0 0.0
    """
    a, b = _masks(prediction, truth)
    areas = np.count_nonzero(a) + np.count_nonzero(b)
    return 2 * np.count_nonzero(a & b) / areas if areas else 1.0


def iou(prediction: ArrayLike, truth: ArrayLike) -> float:
    """The common area by the area of the union, 0 to 1.

    Raises:
        ValueError: the masks differ in shape.
    """
    a, b = _masks(prediction, truth)
    union = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / union if union else 1.0


@dataclass(frozen=True)
class SurfaceDistances:
    """Distances between the surfaces of two masks, mm.

    Attributes:
        hd: Hausdorff distance, the largest distance of a surface pixel from the other surface.
        hd95: the same with the 95th percentile in place of the largest: the larger of the two
            directed percentiles (linear between ranks), not the percentile of both sets together.
        assd: average symmetric surface distance, the mean over the surface pixels of both masks.
        nsd: normalised surface Dice, the part of the surface pixels of both masks that the other surface is within
            `TOLERANCE_MM` of, 0 to 1 (S. Nikolov et al., arXiv:1809.04430; by pixels, not by lengths).
    """

    hd: float
    hd95: float
    assd: float
    nsd: float


def surface_distances(prediction: ArrayLike, truth: ArrayLike, pixel_size_mm: float = 1.0) -> SurfaceDistances:
    """Distances between the surfaces of two masks, from pixel centre to pixel centre.

    The surface is every pixel of the mask that has one of its 4 neighbours outside the mask or
    outside the frame, so that the boundary of a hole counts too.

    Raises:
        ValueError: the masks differ in shape.
    """
    from scipy.spatial import cKDTree

    a, b = (_surface(mask) for mask in _masks(prediction, truth))
    if len(a) == 0 or len(b) == 0:
        distance = _without_one(len(a) == len(b))
        return SurfaceDistances(distance, distance, distance, nsd=float(len(a) == len(b)))
    directed = [pixel_size_mm * cKDTree(goal).query(start)[0] for start, goal in ((a, b), (b, a))]
    return SurfaceDistances(
        hd=float(max(distances.max() for distances in directed)),
        hd95=float(max(np.percentile(distances, 95) for distances in directed)),
        assd=float(np.concatenate(directed).mean()),
        nsd=float((np.concatenate(directed) <= TOLERANCE_MM).mean()),
    )


def ellipse_dice(prediction: Ellipse | None, truth: Ellipse | None, height: int, width: int) -> float:
    """Dice, 0 to 1, of two ellipses rasterised at the image's (height, width).

    What lies outside the frame counts for neither; an ellipse that covers no pixel's centre is empty.
    """
    a, b = (
        np.zeros((height, width), np.uint8) if ellipse is None else ellipse.rasterise(height, width)
        for ellipse in (prediction, truth)
    )
    return dice(a, b)


def ellipse_hausdorff(prediction: Ellipse | None, truth: Ellipse | None, pixel_size_mm: float = 1.0) -> float:
    """Hausdorff distance of two ellipses as curves, mm, to 0.01 px; infinite where one is None, 0 where both are.

    >>> round(ellipse_hausdorff(Ellipse(0, 0, 60, 40, 0), Ellipse(0, 0, 70, 40, 0), pixel_size_mm=0.1), 2)
    1.0
    """
    if prediction is None or truth is None:
        return _without_one(prediction is truth)
    return pixel_size_mm * max(_farthest(prediction, truth), _farthest(truth, prediction))


def circumference_difference(prediction: Ellipse | None, truth: Ellipse | None, pixel_size_mm: float) -> float:
    """Circumference predicted minus true (DF), mm; ADF is its absolute value.

    Minus infinity where the head was missed, plus infinity where one was seen that is not there, 0 where both are None.

    >>> round(circumference_difference(Ellipse(0, 0, 250, 190, 0), Ellipse(0, 0, 252, 192, 0), 0.12), 2)
    -1.5
    >>> circumference_difference(None, Ellipse(0, 0, 252, 192, 0), 0.12)
    -inf
    """
    if prediction is None or truth is None:
        return math.copysign(_without_one(prediction is truth), -1 if prediction is None else 1) + 0.0
    return pixel_size_mm * (prediction.circumference - truth.circumference)


def _without_one(agree: bool) -> float:
    """Distance where at least one of two things is missing."""
    return 0.0 if agree else math.inf


def _masks(prediction: ArrayLike, truth: ArrayLike) -> tuple[BoolMask, BoolMask]:
    a, b = np.asarray(prediction) != 0, np.asarray(truth) != 0
    if a.shape != b.shape or a.ndim != 2:
        raise ValueError(f"masks of {a.shape} and {b.shape}: both must be (height, width) of the same image")
    return a, b


def _surface(mask: BoolMask) -> NDArray[np.intp]:
    """Row and column of the surface pixels, (n, 2)."""
    padded = np.pad(mask, 1)
    interior = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.argwhere(mask & ~interior)


def _farthest(start: Ellipse, goal: Ellipse) -> float:
    """The largest distance, px, of a point on `start` from the curve `goal`.

    The distance along `start` is smooth, but for kinks where the nearest point jumps from one side of
    `goal` to the other, and those are maxima: so the intervals about the largest samples are sampled again.
    """
    angles, step = np.linspace(0, 2 * math.pi, 1024, endpoint=False, retstep=True)
    coarse = _distance(_on(start, angles), goal)
    peaks = np.flatnonzero((coarse >= np.roll(coarse, 1)) & (coarse >= np.roll(coarse, -1)))
    peaks = peaks[np.argsort(coarse[peaks])[-8:]]  # two ellipses have few; concentric circles have nothing but
    fine = angles[peaks, None] + np.linspace(-step, step, 257)
    return float(max(coarse.max(), _distance(_on(start, fine.ravel()), goal).max()))


def _on(ellipse: Ellipse, angles: FloatArray) -> FloatArray:
    """Points (n, 2) of the ellipse at eccentric anomalies (n,)."""
    cos, sin = math.cos(ellipse.angle_rad), math.sin(ellipse.angle_rad)
    u, v = ellipse.semi_axis_a * np.cos(angles), ellipse.semi_axis_b * np.sin(angles)
    return np.stack([ellipse.center_x + cos * u - sin * v, ellipse.center_y + sin * u + cos * v], axis=1)


def _distance(points: FloatArray, ellipse: Ellipse) -> FloatArray:
    """Distances (n,), px, of points (n, 2) from the curve of the ellipse.

    Source: D. Eberly, Distance from a point to an ellipse, geometrictools.com: the one root of a
    decreasing function, found by bisection, which no point can upset.
    """
    a, b = ellipse.semi_axis_a, ellipse.semi_axis_b
    x, y = ellipse.along_axes(*points.T)
    # By symmetry in the first quadrant, in units of b; just off the long axis, where there are two nearest points.
    u, v = np.abs(x) / b, np.maximum(np.abs(y) / b, 1e-9)
    ratio = (a / b) ** 2
    low, high = v, np.hypot(ratio * u, v)
    for _ in range(60):
        root = (low + high) / 2
        outside = (ratio * u / (root + ratio - 1)) ** 2 / ratio + (v / root) ** 2 > 1
        low, high = np.where(outside, root, low), np.where(outside, high, root)
    root = (low + high) / 2
    return b * np.hypot(u - ratio * u / (root + ratio - 1), v - v / root)
