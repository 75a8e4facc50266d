"""Phantoms: simulated images of fetal heads, for tests and first tries without the real data."""

import zipfile
from pathlib import Path

from fetal_seg.config.registries import SOURCES
from fetal_seg.data.phantom.writing import MARK, VERSION, comment_of, write_phantoms
from fetal_seg.data.records import Record
from fetal_seg.data.sources import hc18
from fetal_seg.errors import InputError


@SOURCES.register("phantom")
def load(
    images: int, test_images: int, phantom_seed: int, cache_dir: Path, root: str | Path | None = None
) -> list[Record]:
    """The annotated records of a phantom set, sorted by name; it is written first if it is not there.

    Args:
        root: folder of its archives; None for one in `cache_dir`.

    Raises:
        InputError: a number is negative, or `root` holds other data.
    """
    name = f"{images}-{test_images}-{phantom_seed}-v{VERSION}"
    folder = Path(root).expanduser() if root else cache_dir / "phantoms" / name
    for part in (hc18.TRAINING, hc18.TEST):
        archive = folder / part.archive
        if (folder / part.name).exists() or (archive.exists() and not _read_comment(archive).startswith(MARK)):
            raise InputError(
                f"{folder}: {part.name} there is no phantom; give another folder as data.root, or remove it"
            )
    present = _read_comment(folder / hc18.TRAINING.archive)
    expected = comment_of(images, test_images, phantom_seed)
    if root and present and present != expected:
        raise InputError(
            f"{folder}: it holds other phantoms ({present.decode()}) than those asked for ({expected.decode()}); give "
            "their numbers, or another folder as data.root"
        )
    if present != expected:  # the archive of this comment is the last file written
        write_phantoms(folder, train=images, test=test_images, seed=phantom_seed)
    return hc18.load_part(hc18.TRAINING, folder, cache_dir, download=False, of_zenodo=False)


def _read_comment(archive: Path) -> bytes:
    try:
        with zipfile.ZipFile(archive) as source:
            return source.comment
    except (OSError, zipfile.BadZipFile):
        return b""
