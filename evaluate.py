"""Measure checkpoints on images whose truth is known: ``python evaluate.py ckpt=RUN/checkpoints/best.ckpt``.

Several, ``ckpt=[A,B,...]``, are compared image by image.
"""

from fetal_seg.cli.entry_points import evaluate

if __name__ == "__main__":
    evaluate()
