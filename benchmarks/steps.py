"""Steps of training in a bare PyTorch loop, and timing that stays fair on a machine whose speed varies.

What is compared is measured by turns, a few steps each, so that a machine that slows down slows all alike.
"""

import statistics
import time
from collections.abc import Callable, Mapping

import torch
from torch import nn

from fetal_seg.config.choices import Choice
from fetal_seg.models.building import build_network
from fetal_seg.training.losses import bce_dice

HEIGHT, WIDTH, BATCH = 192, 288, 4
Step = Callable[[], None]


def bare_step(network: nn.Module, precision: str = "32-true", *, batch: int = BATCH) -> Step:
    """A step over a batch that lies ready in memory: network, loss, gradients, AdamW, all as fast as PyTorch can."""
    network = network.to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3, weight_decay=0.01, fused=True)
    images = torch.randn(batch, 1, HEIGHT, WIDTH).contiguous(memory_format=torch.channels_last)
    target = torch.rand(batch, 1, HEIGHT, WIDTH)

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16-mixed"):
            logits = network(images)
        optimizer.zero_grad()
        bce_dice(logits.float(), target).backward()
        optimizer.step()

    return step


def named_step(name: str, precision: str = "32-true", **keys: object) -> Step:
    """`bare_step` of a network by its name and keys."""
    return bare_step(build_network(Choice(name, keys)), precision)


def by_turns(steps: Mapping[str, Step], *, turns: int = 5, steps_a_turn: int = 3) -> dict[str, float]:
    """Median seconds of a step of each, measured by turns after one step that chooses kernels."""
    for step in steps.values():
        step()
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(turns):
        for name, step in steps.items():
            start = time.perf_counter()
            for _ in range(steps_a_turn):
                step()
            seconds[name].append((time.perf_counter() - start) / steps_a_turn)
    return {name: statistics.median(values) for name, values in seconds.items()}
