import pytest
import torch

from fetal_seg.models.device import choose_precision


@pytest.mark.parametrize(
    ("amx", "avx512", "expected"),
    [(True, True, "bf16-mixed"), (False, True, "bf16-mixed"), (False, False, "32-true")],
)
def test_automatic_precision_of_a_cpu(amx, avx512, expected, monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)
    precision, reason = choose_precision("auto", torch.device("cpu"))
    assert precision == expected
    assert "AVX-512" in reason or amx
    assert choose_precision("32-true", torch.device("cpu"))[0] == "32-true"
