"""Search for the best configuration: ``python search.py experiment=ablation search.trials=40 search.workers=2``."""

from fetal_seg.cli.entry_points import search

if __name__ == "__main__":
    search()
