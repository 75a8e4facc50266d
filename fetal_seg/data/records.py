"""One image of a data set: where it is, its pixel size and its truth."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from fetal_seg.errors import InputError, enumerate_names
from fetal_seg.geometry.arrays import Grey, pixel_digest
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.geometry.ellipse_fit import head_contour
from fetal_seg.images.grey import read_grey

Item = TypeVar("Item")
Content = TypeVar("Content")


@dataclass(frozen=True)
class Record:
    """An image with its annotation.

    Attributes:
        name: file name as the data set's CSV has it; unique within its part, not across parts.
        examination: which examination the image is from; splits never cut through one.
        image: the image file.
        annotation: the file with the sonographer's outline or a mask; None where there is none.
        pixel_size_mm: side of a (square) pixel, mm; None where it is not known.
        shows_head: False where it is known to show none; then there is no annotation, and the truth is None.
    """

    name: str
    examination: str
    image: Path
    annotation: Path | None = None
    pixel_size_mm: float | None = None
    shows_head: bool = True

    def read_image(self) -> Grey:
        """The image (height, width), 0 to 255, at its own size."""
        return read_grey(self.image)

    def read_truth(self) -> tuple[Ellipse | None, tuple[int, int]]:
        """The ellipse that the sonographer drew, in pixels of the image, and the annotation's (height, width).

        Without a head None, and the image's.

        Raises:
            InputError: there is no annotation, or it cannot be read, or holds no ellipse.
        """
        if not self.shows_head:
            height, width = self.read_image().shape
            return None, (height, width)
        annotation, source = self._read_annotation()
        return ellipse_of_annotation(annotation, source), (annotation.shape[0], annotation.shape[1])

    def read_pair(self) -> tuple[Grey, Ellipse | None]:
        """The image (height, width) and its true ellipse, None without a head.

        Raises:
            InputError: one of the two cannot be read, or their sizes differ.
        """
        image = self.read_image()
        if not self.shows_head:
            return image, None
        annotation, source = self._read_annotation()
        if annotation.shape != image.shape:
            raise InputError(
                f"{source} is {annotation.shape[1]} x {annotation.shape[0]} px but its image is {image.shape[1]} x "
                f"{image.shape[0]} px; an annotation has the size of its image: export it again"
            )
        return image, ellipse_of_annotation(annotation, source)

    def _read_annotation(self) -> tuple[Grey, Path]:
        if self.annotation is None:
            raise InputError(f"{self.name} has no annotation; training and evaluation need one for each image")
        return read_grey(self.annotation), self.annotation


def ellipse_of_annotation(annotation: Grey, source: Path) -> Ellipse:
    """The ellipse in an annotation (height, width), 0 outside: an outline, open or closed, or a filled mask.

    Inside is what exceeds half of the largest value, so that a mask of 0 and 1 is read like one of 0 and 255.
    An outline is fitted by its pixels: filling it would add half of its width all around
    (0.43 % of the circumference on HC18). A mask is fitted by its boundary.

    Raises:
        InputError: nothing is drawn, or no ellipse fits it.
    """
    inside = annotation > annotation.max() / 2
    points = np.argwhere(inside)[:, ::-1].astype(np.float64)
    if len(points) == 0:
        raise InputError(f"{source}: the annotation is empty; it must hold the outline or the mask of a head")
    hull = cv2.contourArea(cv2.convexHull(points.astype(np.float32)))
    try:
        if len(points) > 0.5 * hull > 0:
            boundary = head_contour(inside.astype(np.float64), 0.5)
            return Ellipse.fit(points if boundary is None else boundary)
        return Ellipse.fit(points)
    except ValueError as error:
        raise InputError(f"{source}: the annotation holds no ellipse ({error}); draw it again") from error


def read_ahead(
    items: Sequence[Item], read: Callable[[Item], Content], size: int = 8
) -> Iterator[tuple[Sequence[Item], list[Content]]]:
    """Items in batches of `size`, with what `read` makes of each; the next batch is read while one is worked on."""
    batches = [items[start : start + size] for start in range(0, len(items), size)]
    with ThreadPoolExecutor() as pool:
        ahead = [pool.submit(read, item) for batch in batches[:1] for item in batch]
        for number, batch in enumerate(batches):
            ready = [future.result() for future in ahead]
            ahead = [pool.submit(read, item) for following in batches[number + 1 :][:1] for item in following]
            yield batch, ready


def with_head(records: Iterable[Record]) -> list[Record]:
    """The records that show a head."""
    return [record for record in records if record.shows_head]


def records_named(records: Sequence[Record], names: Sequence[str]) -> list[Record]:
    """The records of these names, in their order.

    Raises:
        InputError: some are not there.
    """
    by_name = {record.name: record for record in records}
    absent = [name for name in names if name not in by_name]
    if absent:
        raise InputError(
            f"the data have no {enumerate_names(absent)}, which the checkpoint's split names; "
            "give the data it was trained with as data.root, or data.part=all"
        )
    return [by_name[name] for name in names]


def digests(records: Sequence[Record]) -> list[str]:
    """Of the pixels of each record's image, in their order.

    Raises:
        InputError: an image cannot be read.
    """
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda record: pixel_digest(record.read_image()), records))
