import sys

import numpy as np
import pytest
import torch

from fetal_seg.errors import InputError
from fetal_seg.inference.opening import open_runtime, why_pytorch
from fetal_seg.models.checkpoint import read_checkpoint
from fetal_seg.models.weights import locate


def test_a_checkpoint_is_opened_by_its_name_or_as_it_was_read():
    checkpoint = read_checkpoint("pretrained")
    size = checkpoint.description.preprocessing
    image = np.full((1, size.height, size.width), 90, np.uint8)
    by_name, read = (open_runtime(of, "cpu", "32-true") for of in ("pretrained", checkpoint))
    assert by_name.preprocessing == read.preprocessing == size
    assert by_name.calibration == checkpoint.description.calibration
    np.testing.assert_array_equal(by_name.look(image).logits, read.look(image).logits)


def test_what_cannot_be_opened_is_told(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        open_runtime(tmp_path / "x.ckpt")


class TestChoice:
    """Which runtime is taken, where nothing is proven."""

    def test_pytorch_says_what_it_computes_with(self):
        used = open_runtime("pretrained", "cpu", "32-true", runtime="pytorch").used
        assert used.name == f"PyTorch {torch.__version__.split('+')[0]}, float32"
        assert used.reason == "as asked for"
        assert open_runtime("pretrained", "cpu", "bf16-mixed").used.name.endswith(", bfloat16")

    def test_automatic_is_pytorch_with_the_reason(self, user_cache, monkeypatch):
        pytest.importorskip("openvino")
        used = open_runtime("pretrained", "cpu", runtime="auto").used
        assert used.name.startswith("PyTorch ")
        assert f"{user_cache / 'fetal_seg'} cannot be written" in used.reason
        for package in ("openvino", "onnxruntime"):
            monkeypatch.setitem(sys.modules, package, None)
        used = open_runtime("pretrained", "cpu", runtime="auto").used
        assert used.reason == "neither OpenVINO nor ONNX Runtime is installed"

    def test_a_precision_or_a_gpu_is_for_pytorch(self, monkeypatch):
        assert why_pytorch("pretrained", "cpu", "auto", "auto") is None
        assert why_pytorch("pretrained", "cpu", "32-true", "auto") is None
        assert why_pytorch("pretrained", "cpu", "bf16-mixed", "auto") == "precision=bf16-mixed is asked for"
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        assert why_pytorch("pretrained", "auto", "auto", "auto") == "there is a GPU"
        assert why_pytorch("pretrained", "auto", "auto", "openvino") is None
        assert why_pytorch("pretrained", "cpu", "auto", "auto") is None

    def test_the_pretrained_weights_are_known_by_their_file_too(self):
        assert why_pytorch(locate("pretrained"), "cpu", "auto", "auto") is None
        assert why_pytorch(read_checkpoint("pretrained"), "cpu", "auto", "auto") is None

    def test_a_checkpoint_of_a_run_has_no_choice(self):
        assert why_pytorch("run/best.ckpt", "cpu", "auto", "auto") == ""

    @pytest.mark.parametrize(
        ("asked", "told"),
        [
            (("run/best.ckpt", "cpu", "auto"), "python export.py format=openvino ckpt=run/best.ckpt"),
            (("pretrained", "gpu", "auto"), "computes on the CPU in float32"),
            (("pretrained", "cpu", "bf16-mixed"), "computes on the CPU in float32"),
        ],
    )
    def test_what_another_runtime_cannot_do_is_told(self, asked, told):
        with pytest.raises(InputError, match=told):
            why_pytorch(*asked, "openvino")

    def test_a_runtime_that_is_asked_for_is_never_replaced(self, user_cache):
        pytest.importorskip("openvino")
        with pytest.raises(InputError, match=r"^runtime=openvino: OpenVINO .* cannot be proven"):
            open_runtime("pretrained", runtime="openvino")
