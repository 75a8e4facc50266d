"""``fetal-seg measure FILE...``: for those who have an image and want its circumference."""

import argparse
import math
from collections.abc import Sequence

from fetal_seg.commands.command_line import PROGRAM

DESCRIPTION = (
    "Measure the fetal head in ultrasound images with the pretrained weights. For research use; not a medical device."
)
EPILOG = f"{PROGRAM} predict writes masks, pictures and tables as well, and takes other networks."


def measure(arguments: Sequence[str]) -> None:
    """Do what the arguments ask for.

    Raises:
        InputError: nothing can be measured.
    """
    options = parser().parse_args(arguments)

    from fetal_seg.cli.quiet import quiet_libraries
    from fetal_seg.commands.measure import run

    quiet_libraries()
    run(options.files, options.pixel_size, as_csv=options.csv)


def parser() -> argparse.ArgumentParser:
    """What reads the arguments."""
    parser = argparse.ArgumentParser(prog=f"{PROGRAM} measure", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="images, DICOM files, videos (their first frame is measured), or folders of them",
    )
    parser.add_argument(
        "--pixel-size",
        type=_millimetres,
        metavar="MM",
        help="side of a pixel in mm, such as 0.12, for all files; without it what a DICOM file says of itself, or a "
        "pixel_sizes.csv beside the images",
    )
    parser.add_argument("--csv", action="store_true", help="print CSV, with the columns of predictions.csv")
    return parser


def _millimetres(text: str) -> float:
    try:
        size = float(text)
    except ValueError:
        size = math.nan
    if not 0 < size < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no size; give a positive number of millimetres, such as 0.12")
    return size
