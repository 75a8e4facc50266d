"""An image in; the head's mask and ellipse out, at the image's own size."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import ArrayLike
from PIL.Image import Image

from fetal_seg.config.types import RuntimeName, check_gestational_age
from fetal_seg.errors import InputError
from fetal_seg.geometry.arrays import Grey, grey_quantiles
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.geometry.ellipse_fit import HeadFit, fit_head
from fetal_seg.geometry.letterbox import Letterbox
from fetal_seg.geometry.spacing import Spacing
from fetal_seg.images.grey import grey_of
from fetal_seg.images.reader import Frame, first_frame, read_frames
from fetal_seg.inference.opening import Trained, open_runtime
from fetal_seg.inference.runtime import Features, Logits, Look, Runtime, UsedRuntime
from fetal_seg.measurement.calibration import Calibration
from fetal_seg.measurement.novelty import novelty_score
from fetal_seg.measurement.quality import UNCALIBRATED, Quality
from fetal_seg.measurement.result import Measurement, Prediction

FLIPS: tuple[tuple[int, ...], ...] = ((), (-1,), (-2,), (-2, -1))  # axes: as it is, left-right, top-bottom, both


class Predictor:
    """One trained network, or several whose logits are averaged.

    Args:
        runtimes: of the networks, at least one.
        flips: average over the four ways to mirror an image as well.
        calibration: None takes that of the first network.
    """

    def __init__(
        self, runtimes: Sequence[Runtime], *, flips: bool = False, calibration: Calibration | None = None
    ) -> None:
        self._runtimes, self._views = list(runtimes), FLIPS if flips else FLIPS[:1]
        self.letterbox = self._runtimes[0].preprocessing.letterbox
        self.calibration = calibration or self._runtimes[0].calibration

    @classmethod
    def load(
        cls,
        checkpoint: str | Path | Trained | Sequence[str | Path | Trained] = "pretrained",
        device: str = "auto",
        *,
        flips: bool = False,
        precision: str = "auto",
        threads: int | None = None,
        runtime: RuntimeName = "auto",
        reject: bool = True,
    ) -> "Predictor":
        """Build the predictor that a checkpoint describes, or the ensemble of several.

        Args:
            checkpoint: file of a checkpoint or an export, or what was read of it; or several of them. Without any, the
                pretrained weights.
            device: auto, cpu or gpu.
            flips: average over the four ways to mirror an image: four times the work.
            precision: auto, 32-true, bf16-mixed or 16-mixed. bfloat16, which auto takes where it is fast, changes
                circumferences by 0.005 % on average and 0.04 % at most (64 images of HC18).
            threads: of the CPU, for each call of `predict`; None for all. One is best where several threads call it.
            runtime: auto, pytorch, onnx or openvino. On a CPU, auto runs the pretrained weights by OpenVINO or ONNX
                Runtime, in float32, where predict.py has proven on this kind of CPU that this measures the same.
            reject: whether what the head gate takes for another plane is no head. Where all images are known to show
                heads, False measures it, and it is to be looked at.

        Raises:
            InputError: a checkpoint cannot be used, or there is no such device.
        """
        if isinstance(checkpoint, str) or not isinstance(checkpoint, Sequence):
            checkpoint = [checkpoint]
        if not checkpoint:
            raise InputError("no checkpoint is given; name one, or none at all for the pretrained weights")
        runtimes = [open_runtime(source, device, precision, threads, runtime) for source in checkpoint]
        calibration = runtimes[0].calibration
        if calibration and not reject:
            calibration = calibration.without_rejection()
        return cls(runtimes, flips=flips, calibration=calibration)

    @property
    def used(self) -> tuple[UsedRuntime, ...]:
        """What runs the networks, each once."""
        return tuple(dict.fromkeys(runtime.used for runtime in self._runtimes))

    @property
    def batch(self) -> int:
        """How many images `predict` takes best at once."""
        return self._runtimes[0].batch

    def measure(
        self,
        image: ArrayLike | str | Path | Image,
        pixel_size_mm: float | None = None,
        *,
        gestational_age_weeks: float | None = None,
    ) -> Measurement:
        """Measure the head in one image.

        Args:
            image: a file that predict.py reads (of a video or of several frames the first is measured), a Pillow image,
                or an array: grey (height, width) or colour (height, width, 3); uint8, uint16, or floating point of 0
                to 1.
            pixel_size_mm: side of a pixel; None takes what the file says, or gives results in pixels.
            gestational_age_weeks: known from elsewhere; gives a z-score and a centile.

        Raises:
            InputError: it is no image, the pixel size is not positive, or no fetus has that age.

        >>> black = np.zeros((540, 800), np.uint8)
        >>> measured = Predictor.load().measure(black, pixel_size_mm=0.12)
        >>> print(measured.flag, measured.hc_mm)
        no head None
        """
        if pixel_size_mm is not None and not 0 < pixel_size_mm < math.inf:
            raise InputError(f"a pixel size of {pixel_size_mm} mm; it must be a positive number, or None if unknown")
        if gestational_age_weeks is not None:
            check_gestational_age(gestational_age_weeks)
        frame = _first_frame(Path(image)) if isinstance(image, str | Path) else Frame("", None, grey_of(image))
        (prediction,) = self.predict([frame.image])
        spacing = None if pixel_size_mm is None else Spacing(pixel_size_mm, pixel_size_mm, "given")
        return self.measurement(frame, prediction, spacing, gestational_age_weeks)

    def measurement(
        self, frame: Frame, prediction: Prediction, given: Spacing | None, gestational_age_weeks: float | None = None
    ) -> Measurement:
        """What was predicted in a frame, in millimetres.

        Args:
            given: size of its pixels; goes before what the file says of itself.
        """
        spacing, notes = _spacing(frame, prediction.ellipse, given)
        return Measurement.from_prediction(
            prediction, spacing, calibration=self.calibration, gestational_age_weeks=gestational_age_weeks, notes=notes
        )

    def predict(self, images: Sequence[Grey]) -> list[Prediction]:
        """Segment images (height, width), 0 to 255, of any sizes. Several threads may call it at once.

        Where no head is found, the picture is turned by a quarter and looked at again.
        """
        predictions = self._look(images)
        missed = [index for index, prediction in enumerate(predictions) if prediction.ellipse is None]
        turned = [np.ascontiguousarray(np.rot90(images[index])) for index in missed]
        for index, prediction in zip(missed, self._look(turned) if missed else [], strict=True):
            if (second := prediction.turned_back()).ellipse is not None:
                predictions[index] = second
        return predictions

    def _look(self, images: Sequence[Grey]) -> list[Prediction]:
        letterboxes = [runtime.preprocessing.letterbox for runtime in self._runtimes]
        framed = [np.stack([letterbox.apply(image) for image in images]) for letterbox in letterboxes]
        views = [
            (letterbox, _flipped_look(runtime, frames, axes))
            for runtime, letterbox, frames in zip(self._runtimes, letterboxes, framed, strict=True)
            for axes in self._views
        ]
        _, first = views[0]
        predictions = []
        for index, image in enumerate(images):
            aligned = [self._aligned(letterbox, look.logits[index], image) for letterbox, look in views]
            features = [level[index] for level in first.features]
            predictions.append(self._prediction(image, framed[0][index], aligned, features))
        return predictions

    def _aligned(self, letterbox: Letterbox, logits: Logits, image: Grey) -> Logits:
        """Logits of a network of another size, on the grid of the first."""
        if letterbox == self.letterbox:
            return logits
        first, other = self.letterbox.to_network(*image.shape), letterbox.to_network(*image.shape)
        to_other = np.vstack([other, (0, 0, 1)]) @ np.linalg.inv(np.vstack([first, (0, 0, 1)]))
        size = (self.letterbox.width, self.letterbox.height)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(logits, to_other[:2], size, flags=flags, borderMode=cv2.BORDER_REPLICATE))

    def _prediction(self, image: Grey, framed: Grey, views: list[Logits], features: list[Features]) -> Prediction:
        height, width = image.shape
        if image.min() == image.max():  # whatever the network makes of it, nothing is shown
            return Prediction.nothing(height, width)
        to_native = self.letterbox.to_native(height, width)
        logits = views[0] if len(views) == 1 else np.mean(views, axis=0)
        fit = fit_head(logits, 0.0, to_native, (height, width))
        quality = self._quality(framed, logits, features, fit) if fit else None
        if fit is None or quality is None or not quality.is_head:
            return Prediction.nothing(height, width, quality)
        if len(views) > 1:
            fits = [fit_head(view, 0.0, to_native, (height, width)) for view in views]
            quality = quality.with_spread([single.ellipse.circumference if single else None for single in fits])
        alone = np.where(cv2.dilate(fit.region, np.ones((3, 3), np.uint8)) > 0, logits, np.minimum(logits, -1.0))
        mask = (self.letterbox.undo(alone, height, width) > 0).view(np.uint8)
        return Prediction(mask, fit.ellipse, quality)

    def _quality(self, framed: Grey, logits: Logits, features: list[Features], fit: HeadFit) -> Quality:
        inside = fit.region > 0
        about = cv2.dilate(fit.region, np.ones((9, 9), np.uint8)) > 0
        low, high = grey_quantiles(framed[about], (0.05, 0.95))
        calibration = self.calibration or Calibration()
        gate = calibration.gate
        return Quality(
            confidence=float((1 / (1 + np.exp(-logits[inside]))).mean()) if inside.any() else 0.0,
            agreement=fit.agreement,
            cut=fit.cut,
            contrast=float(high - low),
            novelty=novelty_score(framed, fit.region, calibration.appearance) if calibration.appearance else None,
            limits=calibration.confidence or UNCALIBRATED,
            head_probability=gate.probability(features, fit.region) if gate else None,
            head_limits=gate.limits if gate else UNCALIBRATED,
        )


def _spacing(frame: Frame, ellipse: Ellipse | None, given: Spacing | None) -> tuple[Spacing | None, tuple[str, ...]]:
    """The size of a pixel where the head is, and what is to be known of the file."""
    stated = frame.spacing_at(ellipse.center_x, ellipse.center_y) if ellipse else frame.spacing
    if given is None:
        return stated, frame.notes
    if stated is not None and abs(stated.x_mm / given.x_mm - 1) > 0.01:
        return given, (*frame.notes, f"the file itself says {stated.x_mm:.4g} mm a pixel")
    return given, frame.notes


def _first_frame(path: Path) -> Frame:
    return first_frame(read_frames(path.expanduser(), path.name))


def _flipped_look(runtime: Runtime, images: Grey, axes: tuple[int, ...]) -> Look:
    """What the network makes of images (n, height, width) that it sees flipped along `axes`; logits flipped back."""
    look = runtime.look(np.ascontiguousarray(np.flip(images, axes)))
    return replace(look, logits=np.flip(look.logits, axes))
