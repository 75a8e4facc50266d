"""Which precision is fastest and safe on a device."""

from typing import NamedTuple

import torch

from fetal_seg.errors import InputError


class ChosenPrecision(NamedTuple):
    """A precision by Lightning's name, and in words why it was taken."""

    name: str
    reason: str


def choose_precision(precision: str, device: torch.device) -> ChosenPrecision:
    """The precision to train with.

    bfloat16 has the range of float32, so it needs no loss scaling and is safe wherever it is fast.
    On a CPU it is fast where AMX or AVX-512 work on it; elsewhere it can be ten times slower than float32.
    Weights, losses and the last layer stay in float32.

    Args:
        precision: auto, 32-true, bf16-mixed or 16-mixed.
        device: where training runs.
    """
    if precision != "auto":
        return ChosenPrecision(precision, "as asked for")
    if device.type == "cuda":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return ChosenPrecision("bf16-mixed", "this GPU computes in bfloat16")
        return ChosenPrecision("16-mixed", "this GPU computes in float16 but not in bfloat16")
    if torch.cpu._is_amx_tile_supported():
        return ChosenPrecision("bf16-mixed", "this CPU has matrix units (AMX) for bfloat16")
    if torch.cpu._is_avx512_bf16_supported():
        return ChosenPrecision("bf16-mixed", "this CPU has AVX-512 instructions for bfloat16")
    return ChosenPrecision("32-true", "this CPU has neither AMX nor AVX-512 instructions for bfloat16")


def choose_device(device: str) -> torch.device:
    """The device that ``auto``, ``cpu`` or ``gpu`` means here.

    Raises:
        InputError: a GPU is asked for and there is none.
    """
    if device == "gpu" and not torch.cuda.is_available():
        raise InputError("gpu is asked for, but PyTorch finds no GPU here; take auto or cpu as device or accelerator")
    return torch.device("cuda" if device != "cpu" and torch.cuda.is_available() else "cpu")
