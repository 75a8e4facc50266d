"""On what a benchmark ran: figures of different machines differ by four, so each begins with this line."""

import platform

import torch

from fetal_seg.models.processor import processor
from fetal_seg.training.run_record import machine

INSTRUCTION_SETS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "bf16", "i8mm")  # as Linux names them


def machine_line() -> str:
    """Processor, the instruction sets that matter to networks, threads, GPUs and PyTorch's version."""
    found = machine()
    sets = " ".join(name for name in INSTRUCTION_SETS if name in processor().instructions) or platform.machine()
    gpus = ", ".join(found["gpus"]) or "no GPU"
    return f"{found['processor']} ({sets}), {torch.get_num_threads()} threads, {gpus}, torch {torch.__version__}"
