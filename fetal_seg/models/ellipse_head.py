"""An ellipse regressed from a network's coarsest features, drawn as logits that are added to those of the mask."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MAPS = 16  # places that the head can tell apart
HIDDEN = 64
START = (0.0, 0.0, -1.0, -1.4, 0.1, 0.0, -3.0)  # centre, logarithms of the semi-axes, twice the angle, certainty
FARTHEST = 20.0  # logits beyond it say no more


class EllipseHead(nn.Module):
    """Where the head is as a whole, which a mask, made pixel by pixel, does not know.

    Logits are logarithms of odds, so that the sum of mask's and ellipse's is what both say together, each with the
    weight of its certainty: that of the ellipse is how steep its logits are at the boundary, which is learnt and may
    come out as nothing. The whole is differentiable, and needs no loss of its own.

    Args:
        channels: of the coarsest features.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.maps = nn.Conv2d(channels, MAPS, 1)
        self.hidden = nn.Linear(channels + 5 * MAPS, HIDDEN)
        self.last = nn.Linear(HIDDEN, len(START))
        nn.init.zeros_(self.last.weight)
        self.last.bias.data.copy_(torch.tensor(START))

    def forward(self, features: Tensor, height: int, width: int) -> Tensor:
        """Map features (n, channels, h, w) of images to logits (n, 1, height, width) of the same images.

        Lengths are in units of the height, from the centre of the picture, whatever the sizes are.
        """
        with torch.autocast(features.device.type, enabled=False):
            features = features.float()
            known = torch.cat([features.mean(dim=(2, 3)), self._places(features)], dim=1)
            center_x, center_y, log_a, log_b, cosine, sine, certainty = self.last(F.relu(self.hidden(known))).T
            length = torch.sqrt(cosine**2 + sine**2 + 1e-6)
            mean = (torch.exp(-2 * log_a) + torch.exp(-2 * log_b)) / 2
            half = (torch.exp(-2 * log_a) - torch.exp(-2 * log_b)) / 2
            x, y = _grid(height, width, features)
            x, y = x - center_x[:, None, None], y - center_y[:, None, None]
            along, across = (half * cosine / length)[:, None, None], (half * sine / length)[:, None, None]
            radius = (mean[:, None, None] * (x**2 + y**2) + along * (x**2 - y**2) + 2 * across * x * y).sqrt()
            slope = F.softplus(certainty) * torch.exp((log_a + log_b) / 2) * height  # a pixel
            logits: Tensor = slope[:, None, None] * (1 - radius)
            return logits.clamp(-FARTHEST, FARTHEST)[:, None]

    def _places(self, features: Tensor) -> Tensor:
        """First and second moments (n, 5 MAPS) of where each map attends to."""
        height, width = features.shape[-2:]
        attention = self.maps(features).flatten(2).softmax(dim=-1).unflatten(2, (height, width))
        x, y = _grid(height, width, features)
        moments = [(attention * part).sum(dim=(2, 3)) for part in (x, y, x * x, x * y, y * y)]
        return torch.cat(moments, dim=1)


def _grid(height: int, width: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Centres of pixels, (width,) and (height, 1), from the picture's centre, in units of its height."""
    x = torch.arange(width, dtype=torch.float32, device=like.device) + (1 - width) / 2
    y = torch.arange(height, dtype=torch.float32, device=like.device) + (1 - height) / 2
    return x / height, y[:, None] / height
