"""An image in; the head's mask and ellipse out, at the image's own size."""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import ArrayLike
from PIL.Image import Image

from fetal_seg.errors import InputError
from fetal_seg.geometry.arrays import Grey
from fetal_seg.geometry.ellipse_fit import HeadFit, fit_head
from fetal_seg.geometry.letterbox import Letterbox
from fetal_seg.geometry.spacing import Spacing
from fetal_seg.images.grey import grey_of
from fetal_seg.inference.member import Logits, Member
from fetal_seg.measurement import novelty
from fetal_seg.measurement.biometry import check_gestational_age
from fetal_seg.measurement.quality import Quality
from fetal_seg.measurement.result import Measurement, Prediction
from fetal_seg.models.checkpoint import Checkpoint, read_checkpoint
from fetal_seg.models.device import choose_device
from fetal_seg.models.weights import PRETRAINED

Item = TypeVar("Item")
Read = TypeVar("Read")

FLIPS: tuple[tuple[int, ...], ...] = ((), (-1,), (-2,), (-2, -1))  # axes: as it is, left-right, top-bottom, both


class Predictor:
    """One trained network, or several whose logits are averaged.

    Args:
        members: the networks, at least one.
        flips: average over the four ways to mirror an image as well.
        calibration: of the first network, see ``fetal_seg.calibration``; None where there is none.
    """

    def __init__(
        self, members: Sequence[Member], *, flips: bool = False, calibration: dict[str, Any] | None = None
    ) -> None:
        self._members, self._views = list(members), FLIPS if flips else FLIPS[:1]
        self.letterbox = self._members[0].letterbox
        self.calibration = calibration or {}

    @classmethod
    def load(
        cls,
        checkpoint: str | Path | Checkpoint | Sequence[str | Path | Checkpoint] = PRETRAINED,
        device: str = "auto",
        *,
        flips: bool = False,
        precision: str = "auto",
    ) -> "Predictor":
        """Build the predictor that a checkpoint describes, or the ensemble of several.

        Args:
            checkpoint: file, or what was read of it; or several of them. Without any, the network in the box.
            device: auto, cpu or gpu.
            flips: average over the four ways to mirror an image: four times the work.
            precision: auto, 32-true, bf16-mixed or 16-mixed. bfloat16, which auto takes where it is fast, changes
                circumferences by 0.005 % on average and 0.04 % at most (64 images of HC18).

        Raises:
            InputError: a checkpoint cannot be used, or there is no such device.
        """
        given = [checkpoint] if isinstance(checkpoint, str | Path | Checkpoint) else list(checkpoint)
        if not given:
            raise InputError("no checkpoint is given; name one, or none at all for the network in the box")
        read = [one if isinstance(one, Checkpoint) else read_checkpoint(one) for one in given]
        place = choose_device(device)
        members = [Member(one.build_network(), one.description["preprocessing"], place, precision) for one in read]
        return cls(members, flips=flips, calibration=read[0].description.get("calibration"))

    def measure(
        self,
        image: ArrayLike | str | Path | Image,
        pixel_size_mm: float | None = None,
        *,
        gestational_age_weeks: float | None = None,
    ) -> Measurement:
        """Measure the head in one image.

        Args:
            image: an image file, a Pillow image, or an array: grey (height, width) or colour (height, width, 3); uint8,
                uint16, or floating point of 0 to 1.
            pixel_size_mm: side of a pixel; None gives results in pixels.
            gestational_age_weeks: known from elsewhere; gives a z-score and a centile.

        Raises:
            InputError: it is no image, the pixel size is not positive, or no fetus has that age.
        """
        grey = grey_of(image)
        if pixel_size_mm is not None and not 0 < pixel_size_mm < math.inf:
            raise InputError(f"a pixel size of {pixel_size_mm} mm; it must be a positive number, or None if unknown")
        if gestational_age_weeks is not None:
            check_gestational_age(gestational_age_weeks)
        spacing = None if pixel_size_mm is None else Spacing(pixel_size_mm, pixel_size_mm, "given")
        (prediction,) = self.predict([grey])
        return Measurement.of(
            prediction, spacing, calibration=self.calibration, gestational_age_weeks=gestational_age_weeks
        )

    def predict(self, images: Sequence[Grey], pool: Executor | None = None) -> list[Prediction]:
        """Segment images (height, width), 0 to 255, of any sizes; `pool` may share the work after the network.

        Where no head is found, the picture is turned by a quarter and looked at again.
        """
        found = self._look(images, pool)
        missed = [row for row, one in enumerate(found) if one.ellipse is None]
        turned = self._look([np.ascontiguousarray(np.rot90(images[row])) for row in missed], pool) if missed else []
        for row, one in zip(missed, turned, strict=True):
            found[row] = one.turned_back()
        return found

    def _look(self, images: Sequence[Grey], pool: Executor | None) -> list[Prediction]:
        framed = [np.stack([one.letterbox.apply(image) for image in images]) for one in self._members]
        views = [
            (member.letterbox, member.logits(frames, axes))
            for (member, frames), axes in itertools.product(zip(self._members, framed, strict=True), self._views)
        ]

        def prediction(row: int) -> Prediction:
            aligned = [self._aligned(box, found[row], images[row]) for box, found in views]
            return self._prediction(images[row], framed[0][row], aligned)

        return list((pool.map if pool else map)(prediction, range(len(images))))

    def _aligned(self, letterbox: Letterbox, logits: Logits, image: Grey) -> Logits:
        """Logits of a network of another size, on the grid of the first."""
        if letterbox == self.letterbox:
            return logits
        own, other = (box.to_network(*image.shape) for box in (self.letterbox, letterbox))
        to_other = np.vstack([other, (0, 0, 1)]) @ np.linalg.inv(np.vstack([own, (0, 0, 1)]))
        size = (self.letterbox.width, self.letterbox.height)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(logits, to_other[:2], size, flags=flags, borderMode=cv2.BORDER_REPLICATE))

    def _prediction(self, image: Grey, framed: Grey, views: list[Logits]) -> Prediction:
        height, width = image.shape
        if image.min() == image.max():  # whatever the network makes of it, nothing is shown
            return Prediction.nothing(height, width)
        to_native = self.letterbox.to_native(height, width)
        logits = views[0] if len(views) == 1 else np.mean(views, axis=0)
        found = fit_head(logits, 0.0, to_native, (height, width))
        quality = self._quality(framed, logits, found) if found else None
        if found is None or quality is None or not quality.is_head:
            return Prediction.nothing(height, width)
        if len(views) > 1:
            each = [fit_head(view, 0.0, to_native, (height, width)) for view in views]
            quality = quality.with_spread([one.ellipse.circumference if one else None for one in each])
        alone = np.where(cv2.dilate(found.region, np.ones((3, 3), np.uint8)) > 0, logits, np.minimum(logits, -1.0))
        mask = (self.letterbox.undo(alone, height, width) > 0).astype(np.uint8)
        return Prediction(mask, found.ellipse, quality)

    def _quality(self, framed: Grey, logits: Logits, found: HeadFit) -> Quality:
        inside = found.region > 0
        about = cv2.dilate(found.region, np.ones((9, 9), np.uint8)) > 0
        low, high = np.percentile(framed[about], (5, 95))
        known, sure = self.calibration.get("appearance"), self.calibration.get("confidence") or {}
        return Quality(
            confidence=float((1 / (1 + np.exp(-logits[inside]))).mean()) if inside.any() else 0.0,
            agreement=found.agreement,
            cut=found.cut,
            contrast=float(high - low),
            surest_doubt=sure.get("surest_doubt", 0.0),
            least_confidence=sure.get("least", 0.0),
            novelty=novelty.of(framed, found.region, known) if known else None,
        )


def read_ahead(
    items: Sequence[Item], read: Callable[[Item], Read], size: int = 8
) -> Iterator[tuple[Sequence[Item], list[Read]]]:
    """Items in batches of `size`, with what `read` makes of each; the next batch is read while one is worked on."""
    batches = [items[start : start + size] for start in range(0, len(items), size)]
    with ThreadPoolExecutor() as pool:
        ahead = [pool.submit(read, item) for batch in batches[:1] for item in batch]
        for number, batch in enumerate(batches):
            ready = [future.result() for future in ahead]
            ahead = [pool.submit(read, item) for following in batches[number + 1 :][:1] for item in following]
            yield batch, ready
