"""Keys that people know from elsewhere, and what to use here instead."""

from collections.abc import Sequence

LIGHTNINGS = {  # keys of Lightning's trainer that this one has not, and what to use instead
    "callbacks": "the trainer has its own; with others train as a library, see docs/extending.md",
    "enable_checkpointing": "the best and the last checkpoint are always kept",
    "default_root_dir": "take hydra.run.dir",
    "resume_from_checkpoint": "take resume=RUN",
    "max_steps": "take trainer.max_epochs",
    "max_time": "take trainer.max_epochs; a training that SIGTERM ends goes on by resume=RUN",
    "overfit_batches": "take data.limit",
    "enable_progress_bar": "take trainer.progress_bar",
    "enable_model_summary": "the first lines of a training tell its network and data",
    "min_epochs": "take trainer.max_epochs; nothing ends a training early but trainer.early_stopping_patience",
    "gradient_accumulation": "take trainer.accumulate_grad_batches",
    "gradient_accumulation_steps": "take trainer.accumulate_grad_batches",
    "reload_dataloaders_every_n_epochs": "the order of the images is a function of the seed and the epoch",
    "use_distributed_sampler": "processes that train together share the images in any case",
    "inference_mode": "evaluations use it always",
    "barebones": "take trainer.log_images=0 and trainer.progress_bar=false",
    "epochs": "take trainer.max_epochs",
    "lr": "take optim.lr",
    "batch_size": "take data.batch_size",
    "gpus": "take trainer.accelerator=gpu and trainer.devices",
    "deterministic": "a run is a function of its configuration already",
    "benchmark": "trainer=gpu has what is fast on a GPU",
    "sync_batchnorm": "it is used on several GPUs; on CPUs take model.norm=group, the same for any number",
    "val_check_interval": "each epoch ends with a validation",
    "log_every_n_steps": "each epoch is logged once",
    "num_sanity_val_steps": "data and configuration are checked before the training",
    "gradient_clip_algorithm": "gradients are clipped by their norm, trainer.gradient_clip_val",
    "plugins": "with plugins train as a library, see docs/extending.md",
}

# keys of the trainer that people give without its name
OF_TRAINER = (
    "fast_dev_run",
    "limit_train_batches",
    "limit_val_batches",
    "max_epochs",
    "precision",
    "accelerator",
    "devices",
)


def foreign_remedy(path: Sequence[str]) -> str | None:
    """What to use instead of a key, whose parts these are; None where it is not known."""
    first, last = path[0], path[-1]
    if len(path) == 1 and first in OF_TRAINER:
        return f"take trainer.{first}"
    return LIGHTNINGS.get(last) if first in ("trainer", last) else None
