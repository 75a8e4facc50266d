import torch

from fetal_seg.config.choices import Choice
from fetal_seg.models.building import build_network


def test_what_is_cropped_away_was_only_padding():
    """Padding is at the right and below: an image that needs none gives the same logits with or without a border."""
    torch.manual_seed(0)
    network = build_network(Choice("unet", {"depth": 2, "width": 4})).eval()
    image = torch.rand(1, 1, 64, 64)
    extended = torch.nn.functional.pad(image, (0, 3, 0, 3), mode="replicate")
    with torch.no_grad():
        assert torch.allclose(network(image)[..., :40, :40], network(extended)[..., :40, :40], atol=1e-4)
