"""Export a network for ONNX Runtime or OpenVINO: ``python export.py ckpt=CHECKPOINT output=FILE.onnx``."""

from fetal_seg.cli.entry_points import export

if __name__ == "__main__":
    export()
