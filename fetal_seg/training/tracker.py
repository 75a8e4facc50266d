"""What all trackers of a run have in common: one that fails is left alone after a warning, and the training goes on."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from lightning.pytorch.loggers import Logger

from fetal_seg.errors import one_line
from fetal_seg.images.drawing import Picture

logger = logging.getLogger(__name__)


class Tracker(Logger):
    """What all trackers do, beside the class of Lightning's that does the work.

    Attributes:
        label: what it is called.
        holds_pictures: whether it can show them.
        continues: whether it goes on with what an earlier process told it; else it is told the earlier epochs again.
        has_failed: whether it has failed, and is told nothing more.
        identity: what ``run.json`` keeps, so that the run can go on.
    """

    label: str
    holds_pictures = False
    continues = False
    has_failed = False

    def attempt(self, call: Callable[[], Any]) -> None:
        """Call, unless the tracker has failed before; what it raises is logged, once."""
        if self.has_failed:
            return
        try:
            call()
        except Exception as error:  # whatever a library, a server or a disk comes up with
            self.has_failed = True
            logger.warning(
                "%s has failed, and gets nothing more of this run, which goes on (%s); metrics.csv has all",
                self.label,
                one_line(error),
            )

    @property
    def identity(self) -> dict[str, str]:
        """What ``run.json`` keeps of it; nothing where it lies in the run's folder under a fixed name."""
        return {}

    @property
    def how_to_look(self) -> str:
        """Where to look at it: a file, an address or a command."""
        raise NotImplementedError

    def start(self, hyperparameters: Mapping[str, Any]) -> None:
        """Begin the tracker's run, or go on with it; raises whatever its library does where that cannot be."""
        super().log_hyperparams(dict(hyperparameters))  # type: ignore[safe-super]  # reason: the class beside this has one

    def log_metrics(self, metrics: Any, step: int | None = None) -> None:
        """Tell numbers by name."""
        self.attempt(partial(super().log_metrics, metrics, step))  # type: ignore[safe-super]  # reason: as above

    def log_hyperparams(self, params: Any = None, *args: Any, **options: Any) -> None:
        """Tell hyperparameters by name."""
        self.attempt(partial(super().log_hyperparams, params, *args, **options))  # type: ignore[safe-super]  # reason: as above

    def log_picture(self, name: str, picture: Picture, epoch: int) -> None:
        """Show a picture (h, w, 3), uint8, beside those of the same name of other epochs."""

    def log_results(self, hyperparameters: Mapping[str, Any], metrics: Mapping[str, float], epoch: int) -> None:
        """Tell the final metrics, of a training that ended with this epoch."""
        self.log_metrics(metrics, epoch)

    def save(self) -> None:
        """Write what is not written yet."""
        self.attempt(super().save)

    def finalize(self, status: str = "success") -> None:
        """Lightning's trainer is done; `finish` ends the run."""
        self.attempt(partial(super().finalize, status))

    def finish(self, status: str) -> None:
        """End the tracker's run, which may go on later: ``success`` or ``failed``."""
        self.finalize(status)
