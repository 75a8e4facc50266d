"""What a checkpoint says of itself."""

from collections.abc import Mapping
from dataclasses import field, fields
from typing import Any

from pydantic import SerializerFunctionWrapHandler, StrictStr, model_serializer, model_validator
from pydantic.dataclasses import dataclass

from fetal_seg.config.plain_data import Names, PlainChoice, PlainData
from fetal_seg.measurement.calibration import Calibration
from fetal_seg.models.preprocessing import Preprocessing
from fetal_seg.version import __version__

FORMAT = 3  # 2 knew no stem of the encoder-decoder, 1 had other names for the limits of confidences as well
FORMATS = (1, 2, FORMAT)  # that can be read


@dataclass(frozen=True)
class DataDescription(PlainData):
    """The data that a network was trained with; a file has the fingerprint beside the source's keys.

    Attributes:
        source: the data source with its keys, as ``load_records`` takes them.
        fingerprint: of the content of all records.
    """

    source: PlainChoice
    fingerprint: StrictStr

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, content: Any) -> Any:
        if not isinstance(content, Mapping):
            return content
        source = {key: value for key, value in content.items() if key != "fingerprint"}
        return {"source": source} | {key: value for key, value in content.items() if key == "fingerprint"}

    @model_serializer
    def _spread(self) -> dict[str, Any]:
        return {**self.source.to_dict(), "fingerprint": self.fingerprint}


@dataclass(frozen=True)
class SplitNames(PlainData):
    """Which images trained, and which validated.

    Attributes:
        train, val: file names.
        seen: digests of the pixels of those that trained it, and what it started from, sorted: they are known again
            under any name. None in files of earlier versions.
    """

    train: Names
    val: Names
    seen: Names = ()


@dataclass(frozen=True)
class CheckpointDescription(PlainData):
    """What a checkpoint says of itself, enough to build its network and to find its data again.

    Attributes:
        network: as ``build_network`` takes it.
        preprocessing: of its images.
        data: that it was trained with.
        split: of these data.
        calibration: what held-out images taught about its errors; None where it was not calibrated.
        classes: what its logits are of.
        version: of this package, when it was trained.
        further: other entries of its file, as they are; those of released weights are ``training`` and ``figures``.
    """

    network: PlainChoice
    preprocessing: Preprocessing
    data: DataDescription
    split: SplitNames
    calibration: Calibration | None = None
    classes: Names = ("head",)
    version: StrictStr = __version__
    further: Mapping[str, Any] = field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, content: Any) -> Any:
        if not isinstance(content, Mapping):
            return content
        names = {entry.name for entry in fields(cls)} - {"further"}
        content = _with_stem(content)
        further = {key: value for key, value in content.items() if key not in {*names, "format"}}
        return {key: value for key, value in content.items() if key in names} | {"further": further}

    @model_serializer(mode="wrap")
    def _spread(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = serialize(self)
        further, calibration = content.pop("further"), content.pop("calibration")
        return {"format": FORMAT, **content, **({"calibration": calibration} if calibration else {}), **further}


def _with_stem(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same, with the stem that files of earlier formats do not name: their encoder-decoders work at full size."""
    network = content.get("network")
    if content.get("format") not in (1, 2) or not isinstance(network, Mapping):
        return content
    if network.get("name") != "encoder_decoder":
        return content
    return {**content, "network": {"stem": "full", **network}}
