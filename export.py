"""Export a network for ONNX Runtime or OpenVINO: ``python export.py ckpt=CHECKPOINT output=FILE.onnx``."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from fetal_seg.cli.app import command

if TYPE_CHECKING:
    from fetal_seg.config.commands import ExportConfig


@command("export")
def export(config: "ExportConfig", run_dir: Path, command_line: list[str]) -> None:
    """Write the file, measure with it and with the checkpoint, leave it if both measure the same."""
    from fetal_seg.commands.export import run

    run(config, hc18_root=os.environ.get("HC18_ROOT", "data/hc18"))


if __name__ == "__main__":
    export()
