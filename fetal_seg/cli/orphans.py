"""Worker processes whose parent was killed: they save what they are at, and end."""

import os
import signal
import threading
import time
from functools import cache

LOOK_EVERY = 1.0  # s
GRACE = 120.0  # s, for the step and the checkpoint of a job


@cache  # once in a process
def end_with_parent() -> None:
    """End this process when its parent does; a training of it is told so by SIGTERM, as by a scheduler."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK_EVERY)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE)
        os._exit(128 + signal.SIGTERM)

    threading.Thread(target=watch, daemon=True, name="end_with_parent").start()


def end_if_orphaned(parent: int) -> None:
    """End this process at once if `parent` is not its parent any more: nobody waits for its result."""
    if os.getppid() != parent:
        os._exit(128 + signal.SIGTERM)
