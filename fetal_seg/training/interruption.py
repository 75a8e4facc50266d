"""Trainings that are told to end: by Ctrl-C, or by a scheduler's signal.

At the next step of the optimizer a checkpoint is saved, from which the run goes on to the same bits. In an epoch's last
step, and while it validates, the epoch is ended first. A second signal ends the training at once.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities.exceptions import SIGTERMException

from fetal_seg.errors import Interrupted
from fetal_seg.training.sampling import ResumableLoader

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGUSR2", "SIGHUP") if hasattr(signal, name))


class Interruption(Callback):
    """Ends a training after a signal; it has to come after the callbacks that change weights.

    Args:
        checkpoint: where the state is saved within an epoch.
    """

    def __init__(self, checkpoint: Path) -> None:
        self._checkpoint = checkpoint
        self._received: int | None = None
        self._is_training = False

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """From here on a signal waits for the next step. Go on after the batches that a checkpoint's epoch has seen.

        Lightning would do so, but that it makes its loader before it reads the checkpoint, if it is asked for the
        number of steps (``estimated_stepping_batches``).
        """
        seen, loader = trainer.fit_loop.epoch_loop.batch_progress.current.ready, trainer.train_dataloader
        if isinstance(loader, ResumableLoader):
            loader.load_state_dict({"batches": seen if seen < trainer.num_training_batches else 0})
        self._is_training = True

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save, and end the training, if it was told to end and the optimizer has just made a step."""
        has_stepped = (batch_idx + 1) % trainer.accumulate_grad_batches == 0
        if has_stepped and not trainer.is_last_batch and self._is_asked(trainer):
            trainer.save_checkpoint(self._checkpoint)
            raise Interrupted(self._signal)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """End the training with the epoch."""
        trainer.should_stop = trainer.should_stop or self._is_asked(trainer)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """The checkpoint of the last epoch is saved: what was asked can be done."""
        self._is_training = False
        done = trainer.max_epochs is not None and trainer.current_epoch >= trainer.max_epochs
        if self._received is not None and not done:
            raise Interrupted(self._received)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take note of signals, and raise `Interrupted` for them where no step is waited for.

        Raises:
            Interrupted: a signal came.
        """
        if threading.current_thread() is not threading.main_thread():  # signals are for the first one
            yield
            return
        heard = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]  # nohup has it ignored
        before = {number: signal.signal(number, self._receive) for number in heard}
        try:
            yield
        except SIGTERMException:  # Lightning's own, at the end of an epoch
            raise Interrupted(self._signal) from None
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @property
    def _signal(self) -> int:
        return self._received or signal.SIGTERM

    def _receive(self, number: int, _: FrameType | None) -> None:
        is_second, self._received = self._received is not None, number
        if is_second or not self._is_training:
            raise Interrupted(number)
        said = f"{signal.Signals(number).name}: the training ends after this step; once more ends it at once\n"
        os.write(2, said.encode())  # whatever the signal came amid, a line of the log for instance

    def _is_asked(self, trainer: Trainer) -> bool:
        asked = self._received is not None
        return bool(trainer.strategy.reduce_boolean_decision(asked, all=False)) if trainer.world_size > 1 else asked
