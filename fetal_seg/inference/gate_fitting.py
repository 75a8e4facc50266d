"""Teach a trained network to tell heads from other planes: a logistic regression on what its encoder holds.

Each image is looked at in several views, as other scanners might show it; all views of a patient are in one fold. What
the network was trained on teaches, but the probabilities and their limits come from other images alone, each judged by
a regression that saw no image of its patient.
Notation: features are (n, k), one row a view; labels are 1 for a head; weights sum to 1.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fetal_seg.config.augmentation import Augmentation
from fetal_seg.data.augmentation.augmenter import Augmenter
from fetal_seg.errors import InputError
from fetal_seg.geometry.arrays import FloatArray, Grey, pixel_digest
from fetal_seg.geometry.ellipse_fit import fit_head
from fetal_seg.inference.runtime import Runtime
from fetal_seg.measurement.head_gate import POOLING, HeadGate, pool, sigmoid
from fetal_seg.measurement.quality import Limits
from fetal_seg.progress import track

logger = logging.getLogger(__name__)

VIEWS = Augmentation(  # of an image, beside the image as it is: other scanners and hands
    rotation_deg=25.0,
    scale=1.3,
    gamma=1.7,
    contrast=0.3,
    noise=0.1,
    blur=1.5,
    grey={"gain": 0.2, "speckle": 0.2},
)
VIEWS_OF_HEADS, VIEWS_OF_PLANES = 2, 8  # there are fewer planes
FOLDS = 5
PENALTY = 0.003  # on the squared weights of standardised features; between 0.001 and 0.01 nothing changes
SHARES = {"plane": 0.5, "early head": 0.075, "head": 0.175, "head of a plane": 0.25}  # of the weight, by kind
LOST, REVIEWED = 0.002, 0.03  # parts of the held-out heads that fall below the limits at most
MEASURED, PASSED = 0.04, 0.01  # parts of each other plane that are meant to exceed them


@dataclass(frozen=True)
class GateImage:
    """An image to learn from.

    Attributes:
        read: gives it, (height, width); raises InputError where it cannot be read.
        kind: a key of `SHARES`.
        plane: its name; those of different names are to be told from heads equally well.
        group: what images of one patient share.
        is_held_out: whether the network was not trained on it.
    """

    read: Callable[[], Grey]
    kind: str
    plane: str
    group: str
    is_held_out: bool

    @property
    def is_head(self) -> bool:
        """Whether it shows a head."""
        return self.kind != "plane"

    @property
    def is_from_planes(self) -> bool:
        """Whether it is from the folder of other planes."""
        return self.kind in ("plane", "head of a plane")


@dataclass(frozen=True, eq=False)  # arrays have no one answer to ==
class Views:
    """All views of images in which something was found.

    Attributes:
        images: all of them, those without a view as well.
        features: pooled, (n, k).
        image: which of the images each is of, (n,).
        is_first: whether it is the image as it is, (n,).
        digests: of those images that are from the folder of planes, and could be read.
    """

    images: Sequence[GateImage]
    features: FloatArray
    image: NDArray[np.intp]
    is_first: NDArray[np.bool_]
    digests: tuple[str, ...]

    def of_images(self, chosen: NDArray[np.bool_]) -> "Views":
        """The views of some of the images, (number of images,), alone."""
        number = np.cumsum(chosen) - 1
        images = [image for image, is_chosen in zip(self.images, chosen, strict=True) if is_chosen]
        kept = chosen[self.image]
        return Views(images, self.features[kept], number[self.image[kept]], self.is_first[kept], self.digests)


def look_at_all(runtime: Runtime, images: Sequence[GateImage]) -> Views:
    """What the network holds about each view of each image; an image that cannot be read is left out with a warning.

    Raises:
        InputError: the network finds nothing in any image.
    """
    rows, of_image, is_first, digests = [], [], [], set()
    augmenter = Augmenter(VIEWS)
    for number, image in enumerate(track(images, "learning what is no head", len(images))):
        try:
            content = image.read()
        except InputError as error:
            logger.warning("left out: %s", error)
            continue
        if image.is_from_planes:
            digests.add(pixel_digest(content))
        framed = runtime.preprocessing.letterbox.apply(content)
        views = VIEWS_OF_PLANES if image.is_from_planes else VIEWS_OF_HEADS
        for view, pooled in _pooled(runtime, augmenter, framed, number, views):
            rows.append(pooled)
            of_image.append(number)
            is_first.append(view == 0)
    if not rows:
        raise InputError("data.negatives: the network finds nothing in any image, so that there is nothing to learn")
    return Views(images, np.array(rows), np.array(of_image), np.array(is_first), tuple(sorted(digests)))


def fit_gate(views: Views) -> HeadGate | None:
    """The gate of a network; None where the network does not show its encoder.

    Raises:
        InputError: there are too few heads, or planes in which the network finds something, to learn from.
    """
    if views.features.shape[1] == 0:
        return None
    images, is_head = views.images, np.array([image.is_head for image in views.images])
    labels, weights = is_head[views.image], _weights(np.array([image.kind for image in images])[views.image])
    odds = _unseen_odds(views, labels, weights)
    judged = np.isfinite(odds) & np.array([image.is_held_out for image in images])
    slope, shift = _platt(odds[judged], is_head[judged])
    odds = slope * odds + shift
    score = _regression(views.features, labels, weights)
    names = {image.plane for image in images if not image.is_head}
    planes = [odds[[image.plane == name and not image.is_head for image in images]] for name in sorted(names)]
    return HeadGate(
        POOLING,
        tuple((slope * score.weights).tolist()),
        float(slope * score.bias + shift),
        _limits(odds[judged & is_head], planes),
        heads=int(is_head.sum()),
        others=int((~is_head).sum()),
        images=views.digests,
    )


def _unseen_odds(views: Views, labels: NDArray[np.bool_], weights: FloatArray) -> FloatArray:
    """Log odds of each image as it is, by a regression that saw none of its group; minus infinity of no view."""
    odds, folds = np.full(len(views.images), -np.inf), _folds([image.group for image in views.images])
    for fold in range(FOLDS):
        known = folds[views.image] != fold
        if len(set(labels[known])) < 2 or len(set(labels[views.is_first])) < 2:
            raise InputError(
                "data.negatives: the network finds something in too few images of heads, or of other planes, to tell "
                "them apart; give more of them"
            )
        score = _regression(views.features[known], labels[known], weights[known])
        own = ~known & views.is_first
        odds[views.image[own]] = score(views.features[own])
    return odds


@dataclass(frozen=True, eq=False)
class _Score:
    """Log odds that are linear in features."""

    weights: FloatArray
    bias: float

    def __call__(self, features: FloatArray) -> FloatArray:
        return np.asarray(features @ self.weights + self.bias)


def _pooled(
    runtime: Runtime, augmenter: Augmenter, framed: Grey, seed: int, count: int
) -> Iterator[tuple[int, FloatArray]]:
    """The number of each view in which something was found, with its features."""
    nothing = np.zeros_like(framed)
    others = [augmenter(framed, nothing, seed * VIEWS_OF_PLANES + view)[0] for view in range(1, count)]
    look = runtime.look(np.stack([framed, *others]))
    for view in range(count):
        if fit := fit_head(look.logits[view], 0.0, np.eye(2, 3)):
            yield view, pool([level[view] for level in look.features], fit.region)


def _folds(groups: Sequence[str]) -> NDArray[np.intp]:
    """Of each image, the fold of its group."""
    _, number = np.unique(np.array(groups), return_inverse=True)
    return np.asarray(np.random.default_rng(0).permutation(number.max() + 1)[number] % FOLDS)


def _weights(kinds: NDArray[np.str_]) -> FloatArray:
    """Weights in which each kind has its share, or what that comes to among the kinds that there are."""
    weights = np.zeros(len(kinds))
    for is_head in (False, True):
        present = {kind: share for kind, share in SHARES.items() if (kind != "plane") == is_head and kind in kinds}
        for kind, share in present.items():
            of_kind = kinds == kind
            weights[of_kind] = 0.5 * share / sum(present.values()) / of_kind.sum()
    return weights


def _regression(features: FloatArray, labels: NDArray[np.bool_], weights: FloatArray) -> _Score:
    """Logistic regression with a penalty on the weights of standardised features."""
    from scipy.optimize import minimize

    weights = weights / weights.sum()
    mean = weights @ features
    deviation = np.sqrt(weights @ (features - mean) ** 2) + 1e-6
    rows, sign = (features - mean) / deviation, np.where(labels, 1.0, -1.0)

    def loss(values: FloatArray) -> tuple[float, FloatArray]:
        margin = sign * (rows @ values[:-1] + values[-1])
        pull = -sign * weights * sigmoid(-margin)
        cost = weights @ np.logaddexp(0, -margin) + PENALTY / 2 * values[:-1] @ values[:-1]
        return float(cost), np.append(rows.T @ pull + PENALTY * values[:-1], pull.sum())

    found = minimize(loss, np.zeros(rows.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 1000}).x
    of_features = found[:-1] / deviation
    return _Score(of_features, float(found[-1] - of_features @ mean))


def _platt(odds: FloatArray, labels: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and shift that make scores of unseen images their log odds (J. Platt, 1999); both kinds weigh the same."""
    score = _regression(odds[:, None], labels, _weights(np.where(labels, "head", "plane")))
    return max(float(score.weights[0]), 1e-3), score.bias


def _limits(heads: FloatArray, planes: Sequence[FloatArray]) -> Limits:
    """The limits, from log odds: half-way between heads and planes where these are apart, else as heads allow."""

    def between(lost: float, passed: float) -> float:
        head = float(np.quantile(heads, lost))
        plane = max(float(np.quantile(odds, 1 - passed, method="higher")) for odds in planes)
        return (head + max(plane, head - 20)) / 2 if plane < head else head

    reject, review = between(LOST, MEASURED), between(REVIEWED, PASSED)
    return Limits(float(sigmoid(np.array(max(review, reject)))), float(sigmoid(np.array(reject))))
