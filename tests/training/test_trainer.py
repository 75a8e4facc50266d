import pytest
import torch

from fetal_seg.config.training import TrainerConfig
from fetal_seg.errors import InputError
from fetal_seg.training.trainer import build_trainer, moving_average


@pytest.mark.parametrize(("count", "decay"), [(0, 0.1), (8, 0.5), (10**6, 0.99)])
def test_a_moving_average_forgets_the_untrained_start(count, decay):
    average, current = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 6.0])
    expected = decay * average + (1 - decay) * current
    moving_average([average], [current], count, decay=0.99)
    torch.testing.assert_close(average, expected)


def test_counters_are_not_averaged():
    average = torch.tensor([3])
    moving_average([average], [torch.tensor([7])], 100, decay=0.99)
    assert average.tolist() == [7]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="finds no GPU here"):
        build_trainer(TrainerConfig(accelerator="gpu"), tmp_path, None)
