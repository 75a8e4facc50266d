"""Splits as files: ``split.json``."""

import json
import logging
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from fetal_seg.data.splits import Split
from fetal_seg.errors import InputError, enumerate_names, problems_with, refuse
from fetal_seg.files import write_text

logger = logging.getLogger(__name__)


def write_split(path: Path, split: Split, examinations: Mapping[str, str]) -> None:
    """Write a split as JSON: ``seed``, ``kind``, ``train``, ``val``, then what else is known of it.

    Args:
        examinations: the examination of each name; those of each part are listed too.
    """
    content: dict[str, Any] = {"seed": split.seed, "kind": split.kind}
    content |= {"train": list(split.train), "val": list(split.val)}
    if split.kind == "kfold":
        content |= {"folds": split.folds, "fold": split.fold}
    content["examinations"] = {
        part: sorted({examinations[name] for name in images})
        for part, images in (("train", split.train), ("val", split.val))
    }
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def read_split(path: Path) -> Split:
    """Read what `write_split` wrote; only ``seed``, ``kind``, ``train`` and ``val`` need be there.

    Raises:
        InputError: the file is missing, is no JSON, or is no split.
    """
    rule = 'a split is {"seed": 0, "kind": "examination", "train": [names], "val": [names]}; correct the file'
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file; check data.split_file") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: the split cannot be read ({error}); {rule}") from error
    try:
        return TypeAdapter(Split).validate_json(json.dumps(content if isinstance(content, dict) else {}), strict=True)
    except ValidationError as error:
        types = {str(detail["loc"][0]): detail["type"] for detail in error.errors()}
        if missing := [key for key, kind in types.items() if kind == "missing"]:
            raise InputError(f"{path}: the split lacks {', '.join(missing)}; {rule}") from error
        raise InputError(f"{path}: {', '.join(types)} of the split cannot be used; {rule}") from error


def check_split(split: Split, examinations: Mapping[str, str]) -> None:
    """See that a split, read from a file, fits the data; examinations on both sides are named in the log.

    Args:
        examinations: the examination of each name of the data.

    Raises:
        InputError: names that are not in the data, are there twice, or an empty part.
    """
    unknown = [name for name in (*split.train, *split.val) if name not in examinations]
    twice = [name for name, count in Counter((*split.train, *split.val)).items() if count > 1]
    problems = problems_with(unknown, "the split names {}, not in the data; take the split of these data")
    problems += problems_with(twice, "the split names {} more than once; each image is in one part, once")
    if not (split.train and split.val):
        problems.append("a part of the split is empty; both need images, add some")
    refuse(problems)
    shared = {examinations[name] for name in split.train} & {examinations[name] for name in split.val}
    if shared:
        logger.warning(
            "examinations on both sides of the split: %s; figures of their validation images are too good",
            enumerate_names(sorted(shared)),
        )
