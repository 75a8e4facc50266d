"""What makes and checks the pretrained weights."""

import os
from argparse import ArgumentParser


def add_root(parser: ArgumentParser) -> None:
    """Add the option ``--root``, the folder of HC18: by default ``$HC18_ROOT``, else ``data/hc18``."""
    parser.add_argument("--root", default=os.environ.get("HC18_ROOT", "data/hc18"), help="folder of HC18")
