"""What the page is built of besides its own sources: the network, and the values that stand in Python alone.

python -m tools.page_data FOLDER     writes FOLDER/network.onnx and FOLDER/constants.json; web/generated is where the
                                     page's sources look for them
python -m tools.page_data FOLDER --constants     writes the values alone, quickly

The network is exported as ``export.py`` does it, with its proof: on HC18 where that is there, else on phantoms.
"""

import argparse
import importlib
import json
import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from fetal_seg.config.types import ExportPrecision
from fetal_seg.errors import InputError
from fetal_seg.files import write_text

NETWORK, CONSTANTS = "network.onnx", "constants.json"
PRECISION: ExportPrecision = (
    "f16"  # half the size; circumferences differ by 0.02 % at most, no flag does (docs/export.md)
)
NAMES = {  # of constants, by the modules where they stand
    "fetal_seg.evaluation.tables": ("PREDICTION_COLUMNS", "FORMULAS"),
    "fetal_seg.geometry.ellipse_fit": (
        *("SMALLEST_AREA", "ROUNDEST", "FLATTEST", "PLAUSIBLE_AGREEMENT", "RIVAL", "FARTHEST"),
    ),
    "fetal_seg.images.dicom_spacing": (
        *("SMALLEST_PIXEL_MM", "LARGEST_PIXEL_MM", "TWO_D", "TISSUE", "CENTIMETRES", "UNITS", "DATA_TYPES", "SPACINGS"),
    ),
    "fetal_seg.images.grey": ("MOST_PIXELS", "WHITES"),
    "fetal_seg.images.readers.dicom": ("SUFFIXES", "MAGIC_OFFSET", "SECONDARY_CAPTURES"),
    "fetal_seg.measurement.biometry": (
        *("TRIMESTER_LIMITS_MM", "OUT_OF_RANGE", "INTERGROWTH", "INTERGROWTH_COEFFICIENTS"),
        *("HADLOCK", "HADLOCK_COEFFICIENTS"),
    ),
    "fetal_seg.measurement.conformal": ("LEVEL", "FEWEST", "SCALE", "REFERENCE_MM", "SUREST"),
    "fetal_seg.measurement.head_gate": ("STRIDES", "POOLING", "EDGE"),
    "fetal_seg.measurement.novelty": ("QUANTILES", "SURROUNDINGS", "SIDE"),
    "fetal_seg.measurement.quality": (
        *("LEAST_AGREEMENT", "MOST_CUT", "LEAST_CONTRAST", "MOST_NOVELTY", "FOREIGN", "UTTERLY_FOREIGN"),
        *("PIXEL_SIZES_MM", "CIRCUMFERENCES_MM", "UNCALIBRATED"),
    ),
    "fetal_seg.models.exported": ("ENTRY", "INPUT"),
    "fetal_seg.version": ("__version__",),
}


def main() -> None:
    """Write what the page is built of."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--constants", action="store_true", help="without the network")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        options.folder.mkdir(parents=True, exist_ok=True)
        write_text(options.folder / CONSTANTS, json.dumps(constants(), indent=1) + "\n")
        if not options.constants:
            _export(options.folder / NETWORK)
    except (InputError, OSError) as error:
        sys.exit(f"{options.folder}: {error}")


def constants() -> dict[str, dict[str, Any]]:
    """The constants of `NAMES`, by their modules' last names."""
    found = {module: importlib.import_module(module) for module in NAMES}
    return {
        module.rpartition(".")[-1]: {name: _plain(getattr(found[module], name)) for name in names}
        for module, names in NAMES.items()
    }


def _plain(value: Any) -> Any:
    """A value as JSON has it; of a dataclass the fields that are values, and not functions."""
    if is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
        value = {name: entry for name, entry in value.items() if not callable(entry)}
    if isinstance(value, Mapping):
        return {str(name): _plain(entry) for name, entry in value.items()}
    return list(map(_plain, value)) if isinstance(value, tuple) else value


def _export(path: Path) -> None:
    from fetal_seg.commands.export import run
    from fetal_seg.config.commands import ExportConfig

    config = ExportConfig(ckpt="pretrained", format="onnx", precision=PRECISION, output=str(path))
    run(config, hc18_root=os.environ.get("HC18_ROOT", "data/hc18"))


if __name__ == "__main__":
    main()
