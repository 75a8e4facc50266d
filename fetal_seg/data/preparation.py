"""The first step of every training: find or fetch the data, and decode each image once."""

from dataclasses import dataclass

from fetal_seg.config.data import DataConfig
from fetal_seg.data.cache import ImageCache, build_cache
from fetal_seg.data.loading import cache_folder, load_records
from fetal_seg.data.records import Record
from fetal_seg.geometry.letterbox import Letterbox


@dataclass(frozen=True)
class PreparedImages:
    """The annotated records of a data source, and their images at the network's size, in the same order."""

    records: tuple[Record, ...]
    cache: ImageCache


def prepare_images(config: DataConfig) -> PreparedImages:
    """Extract, download or simulate what a data source needs, and decode its images, unless that was done before.

    Raises:
        InputError: the data are missing, or not as they should be.
    """
    cache_dir = cache_folder(config.cache_dir)
    records = load_records(config.choice, cache_dir)
    return PreparedImages(tuple(records), build_cache(records, Letterbox(config.height, config.width), cache_dir))
