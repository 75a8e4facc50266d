"""What the commands change of the process they run in, which the library leaves to its host."""

import logging
import os
import warnings


def quiet_libraries() -> None:
    """Keep what Pillow, pydicom and FFmpeg say of a damaged file off the terminal: our own errors and notes tell it.

    And what Matplotlib says of the fonts that it finds when it first draws.

    Set once for the whole process: changing filters around each call would not be safe where several threads read.
    Processes that are started later inherit the environment alone.
    """
    warnings.filterwarnings("ignore", module=r"(PIL|pydicom)\.")
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    logging.getLogger("pydicom").propagate = False
    logging.getLogger("matplotlib").setLevel(logging.WARNING)
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET; FFmpeg reads it at the first video
