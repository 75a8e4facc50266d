"""What a network costs: its parameters, and its time an image on the CPU."""

import json
import logging
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median

import torch
from torch import nn

from fetal_seg.errors import InputError
from fetal_seg.evaluation.study import Cost, Costs
from fetal_seg.models.building import count_parameters
from fetal_seg.models.checkpoint import Checkpoint, read_checkpoint

SECONDS = 20.0  # for all networks together, and no more than one for each
FEWEST, MOST = 3, 30  # timed calls of a network

logger = logging.getLogger(__name__)


def measure_costs(checkpoints: Iterable[Path]) -> Costs:
    """The cost of each checkpoint's network; networks that are built alike are timed once.

    Checkpoints that are absent or cannot be used have no cost.
    """
    networks: dict[str, tuple[nn.Module, int, int]] = {}
    kinds: dict[Path, str] = {}
    for path in checkpoints:
        try:
            checkpoint = read_checkpoint(path)
            kind, size = _kind(checkpoint), checkpoint.description.preprocessing
            if kind not in networks:
                networks[kind] = (checkpoint.build_network(), size.height, size.width)
            kinds[path] = kind
        except InputError as error:
            logger.info("no cost of %s: %s", path, error)
    seconds = min(1.0, SECONDS / max(1, len(networks)))
    costs = {
        kind: Cost(count_parameters(network), _milliseconds(network, height, width, seconds))
        for kind, (network, height, width) in networks.items()
    }
    threads = torch.get_num_threads()
    if costs:
        logger.info("timed %d networks on the CPU, threads: %d", len(costs), threads)
    return Costs(threads, {path: costs[kind] for path, kind in kinds.items()})


def network_kind(path: Path) -> str:
    """How the network of a checkpoint is built, and for images of which size: what costs the same has the same.

    Raises:
        InputError: the checkpoint is absent or cannot be used.
    """
    return _kind(read_checkpoint(path))


def _kind(checkpoint: Checkpoint) -> str:
    network, size = checkpoint.description.network, checkpoint.description.preprocessing
    return json.dumps([network.to_dict(), size.height, size.width], sort_keys=True)


@torch.inference_mode()
def _milliseconds(network: nn.Module, height: int, width: int, seconds: float) -> float:
    """Median time of a call on one image, as ``Predictor`` makes it, within about `seconds`."""
    network = network.to(memory_format=torch.channels_last).eval()
    image = torch.zeros(1, 1, height, width).to(memory_format=torch.channels_last)
    network(image)  # the first call prepares
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < FEWEST or (len(times) < MOST and time.perf_counter() < end):
        start = time.perf_counter()
        network(image)
        times.append(1000 * (time.perf_counter() - start))
    return median(times)
