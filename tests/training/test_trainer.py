import pytest
import torch

from fetal_seg.config.training import TrainerConfig
from fetal_seg.errors import InputError
from fetal_seg.training.trainer import build_trainer


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="finds no GPU here"):
        build_trainer(TrainerConfig(accelerator="gpu"), tmp_path, None)
