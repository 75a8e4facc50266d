"""PNG, JPEG, TIFF and whatever else Pillow reads: one image a file."""

from collections.abc import Iterator
from pathlib import Path

from fetal_seg.config.registries import READERS
from fetal_seg.images.grey import IMAGE_SUFFIXES, read_first_page
from fetal_seg.images.reader import Frame


@READERS.register("picture")
class PictureReader:
    """Reads the first page by Pillow, which knows a file's kind by its content; `every` means nothing here."""

    suffixes = IMAGE_SUFFIXES

    def accepts(self, path: Path) -> bool:
        """By the suffix alone: nothing is opened."""
        return path.suffix.lower() in self.suffixes

    def read(self, path: Path, name: str, every: int) -> Iterator[Frame]:
        """One frame. Raises as `read_first_page` does."""
        image, is_alone = read_first_page(path)
        yield Frame(name, None, image, notes=() if is_alone else ("only the first of several pages was read",))
