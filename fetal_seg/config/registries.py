"""The registries: what can be added by one file, or one function, and one YAML; ``docs/extending.md`` shows each.

They stand at the bottom, so that names are known before anything heavy is imported.
"""

from typing import Any

from fetal_seg.config.choices import Registry

NETWORKS: Registry[Any] = Registry("network", "fetal_seg.models.networks")
LOSSES: Registry[Any] = Registry("loss", "fetal_seg.training.losses")
OPTIMIZERS: Registry[Any] = Registry("optimizer", "fetal_seg.training.optimizers")
SCHEDULERS: Registry[Any] = Registry("schedule", "fetal_seg.training.schedulers")
SOURCES: Registry[Any] = Registry("data source", "fetal_seg.data.sources")
GREY_AUGMENTATIONS: Registry[Any] = Registry("augmentation of grey values", "fetal_seg.data.augmentation.artefacts")
READERS: Registry[Any] = Registry("image reader", "fetal_seg.images.readers")
