"""What the user of a training is told where several processes train, or another number of them goes on."""

import logging
from dataclasses import replace

import pytest

from fetal_seg.commands.telling import tell_processes
from fetal_seg.config.commands import TrainConfig


@pytest.mark.parametrize(("before", "devices", "nodes"), [(None, 2, 2), (4, 2, 2), (1, 1, 1)])
def test_nothing_is_told_where_nothing_changed(before, devices, nodes, caplog):
    config = TrainConfig()
    tell_processes(replace(config, trainer=replace(config.trainer, devices=devices, num_nodes=nodes)), before)
    assert not caplog.records


def test_other_processes_are_told_with_what_that_does(caplog):
    config = TrainConfig()
    with caplog.at_level(logging.WARNING):
        tell_processes(replace(config, trainer=replace(config.trainer, devices=2, num_nodes=3)), 4)
    (record,) = caplog.records
    batch = config.data.batch_size
    said = f"with 6 processes instead of 4: a step takes {6 * batch} images instead of {4 * batch}"
    assert said in record.getMessage()
    assert "same bits" in record.getMessage()
