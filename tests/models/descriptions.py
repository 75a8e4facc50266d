"""What checkpoints of tests say of themselves."""

from fetal_seg.config.choices import Choice
from fetal_seg.models.description import CheckpointDescription, DataDescription, SplitNames
from fetal_seg.models.preprocessing import Preprocessing

PREPROCESSING, SOURCE = Preprocessing(64, 96, 0.1, 0.2), Choice("hc18")


def described(network, preprocessing=PREPROCESSING, source=SOURCE, train=()):
    """A description of a network; `source` is of the data, `train` the names of its training images."""
    return CheckpointDescription(network, preprocessing, DataDescription(source, "0" * 32), SplitNames(train, ()))
