"""Which images of an evaluation are measured: a part of the run's own, or others, but none that judges nothing."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from fetal_seg.config.commands import EvaluateConfig
from fetal_seg.config.data import FromRunConfig
from fetal_seg.data.cache import content_fingerprint
from fetal_seg.data.loading import cache_folder, load_records
from fetal_seg.data.records import Record, digests, records_named
from fetal_seg.errors import InputError
from fetal_seg.inference.opening import Trained

logger = logging.getLogger(__name__)


def read_records(config: EvaluateConfig, checkpoints: Sequence[Trained], hc18_root: str) -> list[Record]:
    """All records of the runs' own data, or of others.

    Raises:
        InputError: the data are not there.
    """
    data, trained = config.data, checkpoints[0].description.data
    if isinstance(data, FromRunConfig):
        root = data.root or trained.source.keys.get("root")
        if root is None and trained.source.name == "hc18":  # the pretrained weights know no folder
            root = hc18_root
        source = replace(trained.source, keys={**trained.source.keys, "root": root})
    else:
        source = data.choice
    return load_records(source, cache_folder(data.cache_dir))


def choose_records(
    config: EvaluateConfig, checkpoints: Sequence[Trained], records: Sequence[Record]
) -> tuple[list[Record], str | None]:
    """Those of all records that are to be measured, and what is to be known of their figures.

    Raises:
        InputError: no image is in the part of all checkpoints.
    """
    data, trained = config.data, checkpoints[0].description.data
    part = data.part if isinstance(data, FromRunConfig) else None
    if part is None:
        same = all(checkpoint.description.data.fingerprint == trained.fingerprint for checkpoint in checkpoints)
        part = "val" if same and content_fingerprint(records) == trained.fingerprint else "all"
    if part != "all":
        first, *others = [getattr(checkpoint.description.split, part) for checkpoint in checkpoints]
        names = [name for name in first if all(name in other for other in others)]
        if not names:
            raise InputError(f"no image is in the part {part} of all checkpoints; take data.part=all, or other data")
        records = records_named(records, names)
    keep = isinstance(data, FromRunConfig) and data.part in ("train", "all")
    chosen, caveat = unseen(list(records)[: data.limit] if keep else list(records), checkpoints, keep=keep)
    chosen = chosen[: data.limit]
    logger.info("%d images: %s", len(chosen), "all" if part == "all" else f"the part {part}")
    return chosen, caveat


def unseen(records: list[Record], checkpoints: Sequence[Trained], *, keep: bool) -> tuple[list[Record], str | None]:
    """The records that trained none of the checkpoints, by their pixels; all of them, and a caveat, for `keep`.

    Raises:
        InputError: none is left.
    """
    seen = [set(checkpoint.description.split.seen) for checkpoint in checkpoints]
    known = digests(records) if any(seen) else [""] * len(records)
    unseen = [record for record, digest in zip(records, known, strict=True) if not any(digest in of for of in seen)]
    if len(unseen) == len(records):
        return records, None
    told = "; ".join(
        f"{sum(digest in of for digest in known)} of {len(records)} images trained {checkpoint.path}"
        for checkpoint, of in zip(checkpoints, seen, strict=True)
        if any(digest in of for digest in known)
    )
    if keep:
        return records, f"{told}: their figures are too good"
    if not unseen:
        raise InputError(f"{told}: none is left to judge by; give images that it has not seen, or data.part=train")
    logger.warning("%s; the %d that trained none are measured", told, len(unseen))
    return unseen, None
