"""What a run by its command leaves of each epoch."""

import numpy as np
import pytest

from tests.conftest import table


@pytest.fixture(scope="module")
def events(trained):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    accumulator = EventAccumulator(str(trained / "tensorboard"), size_guidance={"images": 0, "scalars": 0})
    return accumulator.Reload()


def test_metrics_table(trained):
    rows = table(trained / "metrics.csv")
    columns = ["epoch", "train/loss", "val/loss", "train/dice", "val/dice", "lr", "seconds", "train/iou", "val/iou"]
    assert list(rows[0]) == columns
    assert [row["epoch"] for row in rows] == ["0", "1"]
    assert all(np.isfinite([float(value) for value in row.values()]).all() for row in rows)


def test_tensorboard_has_the_same_numbers_pictures_and_hyperparameters(trained, events):
    rows = table(trained / "metrics.csv")
    for name in ("train/loss", "val/loss", "train/dice", "val/dice", "val/iou"):
        assert [event.step for event in events.Scalars(name)] == [int(row["epoch"]) for row in rows]
        assert [event.value for event in events.Scalars(name)] == pytest.approx([float(row[name]) for row in rows])
    pictures = events.Tags()["images"]
    assert len(pictures) == 4
    assert [event.step for event in events.Images(pictures[0])] == [0, 1]
    plugins = events.summary_metadata.values()
    assert {"custom_scalars", "hparams"} <= {metadata.plugin_data.plugin_name for metadata in plugins}
    assert {"final/dice", "final/val_loss"} <= set(events.Tags()["scalars"])
