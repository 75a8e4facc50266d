"""Search for the best configuration: ``python search.py experiment=ablation search.trials=40 search.workers=2``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fetal_seg.cli.app import command

if TYPE_CHECKING:
    from fetal_seg.config.commands import SearchConfig


@command("search")
def search(config: "SearchConfig", run_dir: Path, command_line: list[str]) -> None:
    """Train trials that Optuna proposes, give up those that fall behind, report all of them."""
    from fetal_seg.cli.search import run_search

    sys.exit(run_search(config, run_dir, command_line))


if __name__ == "__main__":
    search()
