"""The registries: what can be added by one file, or one function, and one YAML; ``docs/extending.md`` shows each.

They stand at the bottom, so that names are known before anything heavy is imported.
"""

from fetal_seg.config.choices import Registry

NETWORKS = Registry("network", "fetal_seg.models.networks")
LOSSES = Registry("loss", "fetal_seg.training.losses")
OPTIMIZERS = Registry("optimizer", "fetal_seg.training.optimizers")
SCHEDULERS = Registry("schedule", "fetal_seg.training.schedulers")
SOURCES = Registry("data source", "fetal_seg.data.sources")
GREY_AUGMENTATIONS = Registry("augmentation of grey values", "fetal_seg.data.augmentation.artefacts")
READERS = Registry("image reader", "fetal_seg.images.readers")
