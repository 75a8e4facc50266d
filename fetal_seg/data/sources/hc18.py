"""HC18, and whatever is laid out as HC18 is: archives or folders of PNG files, with a CSV beside them.

``training_set/`` holds ``NNN_HC.png`` and ``NNN_HC_Annotation.png``, NNN being the examination; a second image of
the same examination is ``NNN_2HC.png``. ``test_set/`` holds images alone. Names of the two parts collide.
Source: T. L. A. van den Heuvel et al., Zenodo record 1327317.
"""

import logging
import re
from dataclasses import dataclass
from pathlib import Path

from fetal_seg.config.registries import SOURCES
from fetal_seg.data import archives
from fetal_seg.data import download as zenodo
from fetal_seg.data.pixel_sizes import ImageRow, read_rows, without_row
from fetal_seg.data.records import Record
from fetal_seg.errors import InputError, problems_with, refuse
from fetal_seg.files import check_writable

ANNOTATION = "_Annotation"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Part:
    """A part of the data set: its folder or archive, its CSV beside it, and whether it has annotations."""

    name: str
    csv: str
    is_annotated: bool

    @property
    def archive(self) -> str:
        """File name of its archive."""
        return f"{self.name}.zip"


TRAINING = Part("training_set", "training_set_pixel_size_and_HC.csv", is_annotated=True)
TEST = Part("test_set", "test_set_pixel_size.csv", is_annotated=False)


@SOURCES.register("hc18")
def load(root: str | Path, cache_dir: Path, download: bool) -> list[Record]:
    """The training records, sorted by name.

    They come from ``root/training_set/`` if that folder exists, else from ``root/training_set.zip``, which is extracted
    into `cache_dir`. What is missing is downloaded if `download` is true: into `root` (which is created) if that can be
    written, else into ``cache_dir/hc18``. No image is decoded. If an archive is not Zenodo's, the log says so once.

    Raises:
        InputError: files are missing or damaged, or images, annotations and CSV do not belong together; one message
            names all problems.
    """
    return load_part(TRAINING, Path(root).expanduser(), cache_dir, download=download)


def load_part(part: Part, root: Path, cache_dir: Path, *, download: bool, of_zenodo: bool = True) -> list[Record]:
    """The records of a part, as `load`; `of_zenodo` says whether an archive should be Zenodo's."""
    folder = root / part.name
    if folder.is_dir():
        (table,) = _locate(part, [part.csv], root, cache_dir, download=download)
        return _records(part, folder, table)
    table, packed = _locate(part, [part.csv, part.archive], root, cache_dir, download=download)
    is_new = of_zenodo and not archives.is_extracted(packed, cache_dir)
    records = _records(part, archives.extract(packed, cache_dir), table)
    if is_new and zenodo.md5_of(packed) != zenodo.MD5[part.archive]:  # logged once, since reading it all takes a while
        logger.info(
            "%s is not the file on Zenodo (its MD5 differs); it is used, since its %d images agree with %s",
            packed,
            len(records),
            table.name,
        )
    return records


def _locate(part: Part, names: list[str], root: Path, cache_dir: Path, *, download: bool) -> list[Path]:
    """Where the files are; in `root` unless they had or have to be downloaded elsewhere."""
    missing = [name for name in names if not (root / name).is_file()]
    if missing and not download:
        problem = f"{root} has no {' and no '.join(missing)}" if root.is_dir() else f"{root}: there is no such folder"
        raise InputError(
            f"{problem}; data.root must be a folder with {part.csv} and {part.archive} (or {part.name}/, extracted); "
            "correct it, set data.download=true, or use data=phantom, which needs no files"
        )
    if not missing:
        return [root / name for name in names]
    home = root if _is_writable(root) else cache_dir / "hc18"
    return [zenodo.fetch(name, home) if name in missing else root / name for name in names]


def _is_writable(folder: Path) -> bool:
    try:
        check_writable(folder)
    except OSError:
        return False
    return True


def _records(part: Part, folder: Path, table: Path) -> list[Record]:
    if (folder / part.name).is_dir():  # archives hold a folder of their own name
        folder /= part.name
    files = {path.name for path in folder.glob("*.png") if not path.name.startswith(".")}
    if not files:
        raise InputError(f"{folder}: it holds no PNG file; it must hold the images of {part.name}; extract them again")
    annotations = {name for name in files if name.endswith(f"{ANNOTATION}.png")}
    images = sorted(files - annotations)
    rows, problems = read_rows(table)
    refuse(problems + _problems(part, folder, table, images, annotations, rows))
    return [
        Record(
            name=name,
            examination=name.split("_")[0],
            image=folder / name,
            annotation=folder / _annotation_of(name) if part.is_annotated else None,
            pixel_size_mm=rows[name].pixel_size_mm,
        )
        for name in images
    ]


def _annotation_of(name: str) -> str:
    return f"{name.removesuffix('.png')}{ANNOTATION}.png"


def _problems(
    part: Part, folder: Path, table: Path, images: list[str], annotations: set[str], rows: dict[str, ImageRow]
) -> list[str]:
    """A sentence for each way in which images, annotations and rows do not belong together."""
    problems = problems_with(
        [name for name in images if not re.match(r"\d+_", name)],
        f"{folder}: the name of {{}} does not begin with the number of its examination and _, as 010_HC.png does; "
        "images of one examination must be known as such; rename it",
    )
    problems += without_row(table, images, rows)
    problems += problems_with(
        sorted(set(rows) - set(images)),
        f"{folder}: there is no image {{}}, which has a row in {table.name}; images and rows belong together; extract "
        "the images again, or remove the row",
    )
    if not part.is_annotated:
        return problems
    problems += problems_with(
        [name for name in images if _annotation_of(name) not in annotations],
        f"{folder}: {{}} has no annotation (NAME{ANNOTATION}.png beside it); training needs one for each image; "
        "add it, or remove the image and its row",
    )
    return problems + problems_with(
        sorted(annotations - {_annotation_of(name) for name in images}),
        f"{folder}: {{}} has no image; each annotation belongs to one; add the image, or remove the annotation",
    )
