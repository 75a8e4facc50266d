"""From a configuration, or what a checkpoint says of its data, to records, their decoded images and their parts."""

import inspect
from dataclasses import dataclass, replace
from pathlib import Path

import platformdirs

from fetal_seg.config.choices import Choice
from fetal_seg.config.data import DataConfig
from fetal_seg.config.registries import SOURCES
from fetal_seg.data.cache import ImageCache, build_cache
from fetal_seg.data.records import Record
from fetal_seg.data.split_files import check_split, read_split
from fetal_seg.data.splits import Split, SplitImage, split_examinations, split_inner, split_kfold, split_random
from fetal_seg.errors import InputError
from fetal_seg.geometry.letterbox import Letterbox
from fetal_seg.measurement.biometry import trimester


def load_records(choice: Choice, cache_dir: Path) -> list[Record]:
    """The annotated records of a data source, sorted by name.

    A source is a function of a module in ``fetal_seg.data.sources``, registered in `SOURCES`: its arguments are
    the keys that it needs, and ``cache_dir`` if it needs one; it returns records.

    Args:
        choice: the source's name and keys; keys of no interest to it (a checkpoint's data have more) are ignored.

    Raises:
        InputError: the source is unknown, a key that it needs has no value, or the data are missing or not as they
            should be.
    """
    load = SOURCES[choice.name]
    parameters = inspect.signature(load).parameters
    keys = {key: value for key, value in {**choice.keys, "cache_dir": cache_dir}.items() if key in parameters}
    missing = [
        f"data.{key}"
        for key, parameter in parameters.items()
        if parameter.default is parameter.empty and keys.get(key) in (None, "")
    ]
    if missing:
        raise InputError(f"data.name={choice.name}: {', '.join(missing)} must have a value; give it")
    records: list[Record] = load(**keys)
    return records


def cache_path(cache_dir: str | None = None) -> Path:
    """The folder for what commands keep for others, whether it is there or not: the one given, or the user's own."""
    return Path(cache_dir).expanduser() if cache_dir else Path(platformdirs.user_cache_dir("fetal_seg"))


def cache_folder(cache_dir: str | None) -> Path:
    """As `cache_path`; it is there then.

    Raises:
        InputError: it cannot be created.
    """
    path = cache_path(cache_dir)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path} cannot be created ({error.strerror}); give another folder as cache_dir") from error
    return path


@dataclass(frozen=True)
class PreparedImages:
    """The annotated records of a data source, and their images at the network's size, in the same order.

    Attributes:
        extra: those of ``data.extra``, which belong to no part; None where there is no such folder.
    """

    records: tuple[Record, ...]
    cache: ImageCache
    extra: "PreparedImages | None" = None

    @property
    def strata(self) -> list[int]:
        """Of each record, see `stratum`; 0 for those without a head."""
        ellipses = self.cache.ellipses()
        return [
            stratum(ellipse.circumference, record.pixel_size_mm) if ellipse else 0
            for record, ellipse in zip(self.records, ellipses, strict=True)
        ]

    def split(self, config: DataConfig, seed: int) -> Split:
        """The training and the validation part, by file or by rule; `seed` where the configuration gives none.

        Raises:
            InputError: the file does not fit the records, or there are too few of them.
        """
        if config.split_file:
            split = read_split(Path(config.split_file).expanduser())
            check_split(split, {record.name: record.examination for record in self.records})
            return split
        images = [
            SplitImage(record.name, record.examination, stratum)
            for record, stratum in zip(self.records, self.strata, strict=True)
        ]
        seed = seed if config.split_seed is None else config.split_seed
        if config.split == "kfold":
            return split_kfold(images, seed=seed, folds=config.folds, fold=config.fold)
        cut = {"inner": split_inner, "random": split_random}.get(config.split, split_examinations)
        return cut(images, seed=seed, val_fraction=config.val_fraction)


def prepare_images(config: DataConfig) -> PreparedImages:
    """Extract, download or simulate what a data source needs, and decode its images, unless that was done before.

    Raises:
        InputError: the data are missing, or not as they should be.
    """
    cache_dir = cache_folder(config.cache_dir)

    def prepare(choice: Choice) -> PreparedImages:
        records = load_records(choice, cache_dir)
        return PreparedImages(tuple(records), build_cache(records, Letterbox(config.height, config.width), cache_dir))

    extra = prepare(Choice("folder", {**config.choice.keys, "root": config.extra})) if config.extra else None
    return replace(prepare(config.choice), extra=extra)


def stratum(hc_px: float, pixel_size_mm: float | None) -> int:
    """The trimester, 1 to 3, by the circumference; 0 where the pixel size is not known."""
    return trimester(hc_px * pixel_size_mm) if pixel_size_mm else 0
