import cv2
import pytest
import torch

from fetal_seg.training.process import THREADS, is_first_process, use_threads


def test_threads_are_set_for_pytorch_and_opencv_and_given_back():
    before = torch.get_num_threads(), cv2.getNumThreads()
    try:
        use_threads(1)
        assert (torch.get_num_threads(), cv2.getNumThreads()) == (1, 1)
        use_threads(None)
        assert torch.get_num_threads() == THREADS
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])


@pytest.mark.parametrize(("rank", "is_first"), [(None, True), ("0", True), ("1", False)])
def test_the_first_process_writes(rank, is_first, monkeypatch):
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    if rank is not None:
        monkeypatch.setenv("LOCAL_RANK", rank)
    assert is_first_process() == is_first
