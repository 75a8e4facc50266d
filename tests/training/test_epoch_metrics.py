"""Metrics over an epoch against counting pixels, in one process and in two."""

from itertools import pairwise

import pytest
import torch
import torch.distributed
from hypothesis import given, settings
from hypothesis import strategies as st

from fetal_seg.training.epoch_metrics import HeadDice, count_overlap, head_metrics
from tests.forking import forking_context


def masks(seed, images, height, width):
    """Random predictions and truths; of every third image one is empty, of every fifth both are."""
    rng = torch.Generator().manual_seed(seed)
    prediction, truth = (torch.rand(images, 1, height, width, generator=rng) > 0.6 for _ in range(2))
    prediction[::3], prediction[::5], truth[::5] = False, False, False
    return prediction, truth


def count(metrics, loss, prediction, truth):
    """Count in a batch as the task does."""
    metrics["loss"].update(torch.tensor(loss).expand(len(truth)))
    metrics["dice"].update(count_overlap(prediction, truth))
    metrics["iou"].update(count_overlap(prediction, truth))


def dice_of(prediction, truth):
    """By counting, with the project's rule for empty masks."""
    scores = []
    for p, t in zip(prediction.numpy(), truth.numpy(), strict=True):
        total = int(p.sum()) + int(t.sum())
        scores.append(2 * int((p & t).sum()) / total if total else 1.0)
    return sum(scores) / len(scores)


def iou_of(prediction, truth):
    """By counting, over the images that are not empty in both."""
    pairs = [(p, t) for p, t in zip(prediction.numpy(), truth.numpy(), strict=True) if (p | t).any()]
    return sum(int((p & t).sum()) / int((p | t).sum()) for p, t in pairs) / len(pairs)


@settings(max_examples=30)
@given(
    st.integers(0, 10**6),
    st.integers(2, 17),
    st.integers(1, 9),
    st.integers(1, 9),
    st.lists(st.integers(1, 16), max_size=3),
)
def test_any_batches_give_the_mean_over_images(seed, images, height, width, cuts):
    prediction, truth = masks(seed, images, height, width)
    metrics = head_metrics("val/")
    bounds = sorted({0, images, *(cut for cut in cuts if cut < images)})
    for start, stop in pairwise(bounds):
        count(metrics, float(start), prediction[start:stop], truth[start:stop])
    assert metrics["dice"].compute().item() == pytest.approx(dice_of(prediction, truth), abs=1e-6)
    batches = [(start, stop - start) for start, stop in pairwise(bounds)]
    assert metrics["loss"].compute().item() == pytest.approx(sum(a * n for a, n in batches) / images, rel=1e-5)
    if (prediction | truth).any():
        assert metrics["iou"].compute().item() == pytest.approx(iou_of(prediction, truth), abs=1e-6)


def test_empty_masks_follow_the_projects_rule():
    head, nothing = torch.ones(1, 1, 4, 4, dtype=torch.bool), torch.zeros(1, 1, 4, 4, dtype=torch.bool)
    for prediction, truth, expected in ((nothing, nothing, 1), (head, nothing, 0), (nothing, head, 0), (head, head, 1)):
        metric = HeadDice()
        metric.update(count_overlap(prediction, truth))
        assert metric.compute() == expected


def test_names_have_the_part_before_them_and_an_epoch_begins_anew():
    metrics = head_metrics("val/")
    count(metrics, 0.5, *masks(0, 4, 5, 5))
    assert set(metrics.compute()) == {"val/loss", "val/dice", "val/iou"}
    metrics.reset()
    count(metrics, 0.5, *masks(1, 4, 5, 5))
    assert metrics.compute()["val/dice"].item() == pytest.approx(dice_of(*masks(1, 4, 5, 5)))


UNEVEN = ((0, 5), (5, 7))  # the images of each process: a mean of the two means would be wrong


def _measure(rank, address, results):
    torch.distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=2)
    metrics = head_metrics("val/")
    prediction, truth = masks(3, 7, 6, 6)
    start, stop = UNEVEN[rank]
    count(metrics, float(start), prediction[start:stop], truth[start:stop])
    results.put({name: value.item() for name, value in metrics.compute().items()})
    torch.distributed.destroy_process_group()


def test_two_processes_of_uneven_size_agree_with_one(tmp_path):
    context = forking_context()
    results = context.Queue()
    jobs = [context.Process(target=_measure, args=(rank, f"file://{tmp_path}/meet", results)) for rank in range(2)]
    for job in jobs:
        job.start()
    found = [results.get(timeout=90) for _ in jobs]
    for job in jobs:
        job.join(30)
    prediction, truth = masks(3, 7, 6, 6)
    for values in found:
        assert values["val/dice"] == pytest.approx(dice_of(prediction, truth), abs=1e-6)
        assert values["val/iou"] == pytest.approx(iou_of(prediction, truth), abs=1e-6)
    halves = [dice_of(prediction[start:stop], truth[start:stop]) for start, stop in UNEVEN]
    assert sum(halves) / 2 != pytest.approx(dice_of(prediction, truth), abs=1e-3)
