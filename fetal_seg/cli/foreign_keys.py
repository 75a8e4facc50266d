"""Keys that people know from elsewhere, and what to use here instead."""

LIGHTNINGS = {  # keys of Lightning's trainer that this one has not, and what to use instead
    "callbacks": "the trainer has its own; with others train as a library, see docs/extending.md",
    "logger": "TensorBoard's files and metrics.csv are always written",
    "enable_checkpointing": "the best and the last checkpoint are always kept",
    "default_root_dir": "take hydra.run.dir",
    "resume_from_checkpoint": "take resume=RUN",
    "max_steps": "take trainer.max_epochs",
    "max_time": "take trainer.max_epochs; a training that SIGTERM ends goes on by resume=RUN",
    "overfit_batches": "take data.limit",
    "enable_progress_bar": "take trainer.progress_bar",
    "gpus": "take trainer.accelerator=gpu and trainer.devices",
    "num_nodes": "train on one machine, with trainer.devices of it",
    "deterministic": "a run is a function of its configuration already",
    "benchmark": "trainer=gpu has what is fast on a GPU",
    "sync_batchnorm": "take model.norm=group, which is the same for any number of devices",
    "val_check_interval": "each epoch ends with a validation",
    "log_every_n_steps": "each epoch is logged once",
    "num_sanity_val_steps": "data and configuration are checked before the training",
    "gradient_clip_algorithm": "gradients are clipped by their norm, trainer.gradient_clip_val",
    "plugins": "with plugins train as a library, see docs/extending.md",
}
