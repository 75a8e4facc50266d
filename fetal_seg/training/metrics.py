"""Metrics of a training."""

import torch
from torch import Tensor


@torch.no_grad()
def dice_scores(logits: Tensor, target: Tensor) -> Tensor:
    """Dice of each thresholded image, (n,); 1 where both are empty."""
    predicted, true = logits > 0, target > 0.5
    overlap = (predicted & true).sum(dim=(1, 2, 3))
    total = predicted.sum(dim=(1, 2, 3)) + true.sum(dim=(1, 2, 3))
    return torch.where(total > 0, 2 * overlap / total.clamp_min(1), 1.0)
