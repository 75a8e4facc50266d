"""Segment and measure heads: ``python predict.py input=FILE_OR_FOLDER [ckpt=RUN/checkpoints/best.ckpt]``."""

from fetal_seg.cli.entry_points import predict

if __name__ == "__main__":
    predict()
