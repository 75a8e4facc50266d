"""What a search searches, kept in its folder: whoever joins must search the same, in the same study."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from fetal_seg.config.search import RangeConfig, SearchSettings
from fetal_seg.errors import InputError, one_line
from fetal_seg.evaluation.runs import SPACE
from fetal_seg.files import LOCK, write_text

Space = Mapping[str, Sequence[Any] | RangeConfig]

OF_FILE = "search"  # the name of a study that has a file of its own
OF_A_MACHINE = ("trainer.threads", "trainer.progress_bar", "data.workers", "data.root", "data.cache_dir")


@dataclass(frozen=True)
class SearchPlan:
    """What all workers of a search are given.

    Attributes:
        folder: of the search; each trial has a folder there.
        overrides: what the user set for all trials, in Hydra's form.
        space: by key: the values that it may take.
        settings: how to search.
        seed: of the sampler of a search whose study is a file; others have no order to repeat.
        study: its name in the storage.
    """

    folder: Path
    overrides: Sequence[str]
    space: Space
    settings: SearchSettings
    seed: int = 0
    study: str = OF_FILE


def agreed_study(folder: Path, overrides: Sequence[str], space: Space, settings: SearchSettings) -> str:
    """The name of the study of a folder; the first who asks writes it there, with what is searched.

    Raises:
        InputError: the folder is of another search, or its study is elsewhere.
    """
    written = {key: vars(value) if isinstance(value, RangeConfig) else list(value) for key, value in space.items()}
    content: dict[str, Any] = {"overrides": list(overrides), "space": written}
    if settings.has_several_objectives:
        content["objectives"] = list(settings.objectives)
    name = f"{folder.resolve().name}-{secrets.token_hex(4)}"
    file = folder / SPACE
    with FileLock(folder / LOCK):  # others may begin at the same moment
        if not file.is_file():
            write_text(file, json.dumps(content | ({"study": name} if settings.storage else {}), indent=1) + "\n")
    try:
        stored = dict(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise InputError(f"{file} is damaged ({one_line(error)}); give another output") from error
    study = str(stored.pop("study", OF_FILE))
    if _compared(stored) != _compared(content):
        of = f"{' '.join(stored.get('overrides', ()))} over {', '.join(stored.get('space', ()))}"
        raise InputError(f"{folder} holds another search ({of}); give the same keys, or another output")
    if (study == OF_FILE) != (settings.storage is None):
        remedy = "leave search.storage out" if settings.storage else "give the search.storage that it was begun with"
        raise InputError(f"{folder} holds a search whose study is elsewhere; {remedy}, or give another output")
    return study


def _compared(content: Mapping[str, Any]) -> dict[str, Any]:
    """Without what may differ from machine to machine."""
    overrides = [text for text in content.get("overrides", ()) if text.lstrip("+").split("=")[0] not in OF_A_MACHINE]
    return {**content, "overrides": overrides}
