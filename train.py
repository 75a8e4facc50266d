"""Train a network: ``python train.py [group=choice ...] [key=value ...]``; ``--help`` lists them."""

from fetal_seg.cli.entry_points import train

if __name__ == "__main__":
    train()
