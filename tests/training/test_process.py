import cv2
import pytest
import torch

from fetal_seg.training.process import THREADS, is_busy, is_first_process, use_threads


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


@pytest.mark.parametrize(("load", "busy"), [(0.1, False), (0.4, False), (0.6, True), (2.0, True)])
def test_a_machine_is_busy_where_others_have_more_than_half_of_it(load, busy, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.setattr("os.getloadavg", lambda: (8 * load, 0.0, 0.0))
    assert is_busy() == busy
