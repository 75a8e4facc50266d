"""What is installed, and what the base installation lacks: the packages of the extra ``train`` of pyproject.toml."""

import importlib.util
from collections.abc import Sequence

from fetal_seg.errors import enumerate_names, refuse

TRAINING = (  # modules
    *("torch", "lightning", "torchmetrics", "torchvision", "segmentation_models_pytorch", "safetensors"),
    *("albumentations", "hydra_plugins.hydra_joblib_launcher", "matplotlib", "optuna", "psutil", "scipy"),
    "tensorboard",
)
BRINGS = "pip install 'fetal_seg[{}]'"
REMEDY = BRINGS.format("train")


def is_installed(module: str) -> bool:
    """Whether a module could be imported; it is not. A folder of that name, as W&B makes them, is none."""
    try:
        spec = importlib.util.find_spec(module)
    except (ModuleNotFoundError, ValueError):  # the package around it is missing, or it is barred in `sys.modules`
        return False
    return spec is not None and spec.origin is not None


def check_training(what: str, needed: Sequence[str] = TRAINING) -> None:
    """See that what a training needs is installed.

    Args:
        what: needs it, for the message.
        needed: modules of `TRAINING`.

    Raises:
        InputError: it is not.
    """
    check_installed(what, needed, "train")


def check_installed(what: str, needed: Sequence[str], extra: str) -> None:
    """See that modules are installed, which an extra of pyproject.toml brings.

    Args:
        what: needs them, for the message.

    Raises:
        InputError: one is not.
    """
    refuse(lacking(what, needed, extra))


def lacking(what: str, needed: Sequence[str], extra: str) -> list[str]:
    """A sentence of what is not installed, as `check_installed` raises it; none where all is."""
    missing = [module for module in needed if not is_installed(module)]
    names = enumerate_names(missing, most=3)
    return [f"{what} needs {names}, not installed here: {BRINGS.format(extra)}"] if missing else []
