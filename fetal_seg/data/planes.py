"""Images of other planes, which a network is to know as no head: a folder, with a CSV of what they show.

::

    root/images/a.png (or anywhere below root)
    root/planes.csv: filename,plane,patient      or group in place of patient; without it no image shows a head

Heads among them (plane ``brain`` or ``head``) are welcome: a network that sees other planes of a scanner, but no head,
learns the scanner.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fetal_seg.errors import InputError, problems_with, refuse
from fetal_seg.files import read_csv
from fetal_seg.images.grey import IMAGE_SUFFIXES

CSV_NAME = "planes.csv"
NAME, PLANE, GROUPS = "filename", "plane", ("group", "patient")
HEAD_PLANES = ("brain", "head")  # in lower case
FEWEST = 20  # images that are no head, for a rule that means something


@dataclass(frozen=True)
class PlaneImage:
    """An image, and what it shows.

    Attributes:
        plane: in lower case; empty where it is not told: then it is no head.
        group: what images of one patient share; its path where that is not told.
    """

    path: Path
    plane: str
    group: str

    @property
    def is_head(self) -> bool:
        """Whether it shows a head."""
        return self.plane in HEAD_PLANES


def read_planes(root: str | Path) -> list[PlaneImage]:
    """The images below a folder, sorted by path; none is decoded.

    Raises:
        InputError: there is no such folder, or too few images in it that are no head, or its CSV does not fit them.
    """
    root = Path(root).expanduser()
    if not root.is_dir():
        raise InputError(f"data.negatives={root}: there is no such folder; it must hold images without a head")
    files = sorted(path for path in root.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file())
    table = root / CSV_NAME
    images = _with_rows(files, table) if table.is_file() else [PlaneImage(path, "", str(path)) for path in files]
    others = sum(not image.is_head for image in images)
    if others < FEWEST:
        raise InputError(
            f"data.negatives={root} holds {others} images without a head; at least {FEWEST} are needed, as files of "
            f"{', '.join(IMAGE_SUFFIXES)}; add some"
        )
    return images


def _with_rows(files: Sequence[Path], table: Path) -> list[PlaneImage]:
    rows = read_csv(table)
    if not rows or NAME not in rows[0] or PLANE not in rows[0]:
        raise InputError(f"{table}: it must have rows, and the columns '{NAME}' and '{PLANE}'; correct it")
    by_name = {row[NAME]: row for row in rows}
    alike = {path.name: path for path in files}
    refuse(
        problems_with(
            [path.name for path in files if path.name not in by_name],
            f"{table}: there is no row for {{}}; each image needs one that says what it shows; add it",
        )
        + problems_with(
            [str(path) for path in files if alike[path.name] != path],
            f"{table}: {{}} have names of other images, so that their rows cannot be told apart; rename them",
        )
    )
    return [_image(path, by_name[path.name]) for path in files]


def _image(path: Path, row: dict[str, str]) -> PlaneImage:
    group = next((row[column] for column in GROUPS if row.get(column)), str(path))
    return PlaneImage(path, (row[PLANE] or "").strip().lower(), group)
