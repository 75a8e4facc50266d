"""Small files of every kind that the project reads, for `benchmarks.fuzz` to damage."""

import csv
import io
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
    UltrasoundMultiFrameImageStorage,
    generate_uid,
)

from fetal_seg.cli.run_folder import read_resumed
from fetal_seg.cli.search_plan import SearchPlan
from fetal_seg.cli.storage import STUDY
from fetal_seg.cli.study import ended_trials, open_study
from fetal_seg.cli.sweep import plan_sweep
from fetal_seg.commands.predict.journal import Journal
from fetal_seg.config.search import SearchSettings
from fetal_seg.data.pixel_sizes import NAME, PIXEL_SIZE, read_rows
from fetal_seg.data.planes import read_planes
from fetal_seg.data.split_files import read_split
from fetal_seg.evaluation.runs import read_runs
from fetal_seg.evaluation.tables import read_per_image
from fetal_seg.geometry.arrays import Grey
from fetal_seg.models.checkpoint import read_checkpoint
from fetal_seg.models.weights import PRETRAINED, locate

HEIGHT, WIDTH, FRAMES = 48, 64, 6
_SWEEP = {
    "command": ["train.py", "-m"],
    "jobs": [["model=unet"]],
    "given": ["model=unet"],
    "overrides": ["model=unet"],
    "launching": [],
    "config_name": None,
}
Read = Callable[[Path], object]


def image_samples() -> dict[str, bytes]:
    """Image, DICOM and video files by a name whose suffix tells the kind."""
    grey = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8), (0, 0), 2)
    colours = np.dstack([grey, grey[::-1], grey[:, ::-1]])
    pictures = {
        "grey.png": (grey, {}),
        "colours.png": (colours, {}),
        "deep.png": (grey.astype(np.uint16) * 256, {}),
        "grey.jpg": (grey, {}),
        "colours.jpg": (colours, {"progressive": True}),
        "grey.bmp": (grey, {}),
        "grey.gif": (grey, {}),
        "lzw.tif": (colours, {"compression": "tiff_lzw"}),
        "deflate.tif": (grey, {"compression": "tiff_adobe_deflate"}),
        "grey.webp": (grey, {}),
    }
    samples = {name: _encoded(pixels, Path(name).suffix, **keys) for name, (pixels, keys) in pictures.items()}
    samples |= {f"{name}.dcm": _dicom(pixels, syntax) for name, (pixels, syntax) in _dicom_kinds(grey, colours).items()}
    return samples | {name: _video(name, code) for name, code in (("a.avi", "MJPG"), ("b.mp4", "mp4v"))}


def record_samples(run: Path) -> dict[str, tuple[bytes, Read]]:
    """Files that the project writes or is given beside images, and what reads each: of a finished run, and others."""
    split, table = (run / name for name in ("split.json", "evaluation/per_image.csv"))
    weights = locate(PRETRAINED)
    sizes, planes = io.StringIO(), io.StringIO()
    csv.writer(sizes).writerows([(NAME, PIXEL_SIZE, "group"), ("a.png", 0.1, "1"), ("b.png", 0.2, "2")])
    csv.writer(planes).writerows([("filename", "plane", "group"), *((f"{n}.png", "femur", n) for n in range(20))])
    return {
        "best.ckpt": ((run / "checkpoints" / "best.ckpt").read_bytes(), read_checkpoint),
        "lite.safetensors": (weights.read_bytes(), _with(weights.with_suffix(".json"), read_checkpoint)),
        "lite.json": (weights.with_suffix(".json").read_bytes(), _with(weights, _read_described)),
        "split.json": (split.read_bytes(), read_split),
        "per_image.csv": (table.read_bytes(), read_per_image),
        "pixel_sizes.csv": (sizes.getvalue().encode(), read_rows),
        "planes.csv": (planes.getvalue().encode(), _read_planes),
        **{
            name: ((run / name).read_bytes(), _of_run(run, name))
            for name in ("run.json", "metrics.csv", ".hydra/config.yaml", ".hydra/overrides.yaml")
        },
        "config.yaml": ((run / ".hydra" / "config.yaml").read_bytes(), _resume_run),
        "sweep.json": (json.dumps(_SWEEP).encode(), _read_sweep),
        "settings.json": (json.dumps({"ckpt": ["a"], "every": 1}).encode(), _resume_prediction),
        "predictions.jsonl": (_rows(), _resume_prediction),
        "study.db": (_study(), _open_study),
    }


def _dicom_kinds(grey: Grey, colours: Grey) -> dict[str, tuple[Grey, UID]]:
    several = np.stack([np.roll(grey, number, 1) for number in range(FRAMES)])
    return {
        "plain": (grey, ExplicitVRLittleEndian),
        "frames": (several, ExplicitVRLittleEndian),
        "deflated": (grey, DeflatedExplicitVRLittleEndian),
        "rle": (grey, RLELossless),
        "jpeg": (grey, JPEGBaseline8Bit),
        "jpeg_colours": (colours, JPEGBaseline8Bit),
        "jpeg2000": (grey, JPEG2000Lossless),
        "jpeg_ls": (grey, JPEGLSLossless),
    }


def _encoded(pixels: Grey, suffix: str, **keys: object) -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, Image.registered_extensions()[suffix], **keys)
    return content.getvalue()


def _dicom(pixels: Grey, syntax: UID) -> bytes:
    frames = pixels.shape[0] if pixels.ndim == 3 and pixels.shape[-1] != 3 else None
    data, meta = Dataset(), FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    data.SOPClassUID = meta.MediaStorageSOPClassUID = UltrasoundMultiFrameImageStorage
    data.SOPInstanceUID = meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["fuzz"])
    data.file_meta, data.preamble = meta, bytes(128)
    data.Modality, data.PixelSpacing = "US", [0.2, 0.2]
    data.Rows, data.Columns = HEIGHT, WIDTH
    is_colour = pixels.shape[-1] == 3
    data.SamplesPerPixel, data.PlanarConfiguration = (3, 0) if is_colour else (1, None)
    data.PhotometricInterpretation = "YBR_FULL_422" if is_colour else "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 8, 8, 7, 0
    if frames:
        data.NumberOfFrames = frames
    suffix = {JPEGBaseline8Bit: ".jpg", JPEG2000Lossless: ".jp2"}.get(syntax)
    if suffix:
        encoded = _encoded(pixels, suffix, **({"no_jp2": True} if suffix == ".jp2" else {}))
        data.PixelData = encapsulate([encoded])
        data["PixelData"].is_undefined_length = True
    else:
        data.PixelData = pixels.tobytes()
    data["PixelData"].VR = "OB"
    if syntax in (RLELossless, JPEGLSLossless):
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.compress(syntax)
    content = io.BytesIO()
    data.save_as(content, enforce_file_format=True)
    return content.getvalue()


def _video(name: str, code: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*code), 25, (WIDTH, HEIGHT))
        for number in range(FRAMES):
            video.write(np.full((HEIGHT, WIDTH, 3), 30 * number, np.uint8))
        video.release()
        return path.read_bytes()


def _with(other: Path, read: Read) -> Read:
    """Read a file beside another that belongs to it."""

    def both(path: Path) -> object:
        shutil.copy(other, path.parent)
        return read(path)

    return both


def _read_described(path: Path) -> object:
    return read_checkpoint(path.with_suffix(".safetensors"))


def _read_planes(path: Path) -> object:
    for number in range(20):
        (path.parent / f"{number}.png").touch()
    return read_planes(path.parent)


def _of_run(run: Path, name: str) -> Read:
    """Read a run of which one file is damaged."""

    def read(path: Path) -> object:
        copy = path.parent / "run"
        shutil.copytree(run, copy, ignore=shutil.ignore_patterns("checkpoints", "tensorboard", "*.png"))
        shutil.copy(path, copy / name)
        return read_runs([copy])

    return read


def _read_sweep(path: Path) -> object:
    (path.parent / "0").mkdir()
    plan_sweep([f"++sweep.resume={path.parent}"], lambda keys: {})
    return read_runs([path.parent])


def _resume_run(path: Path) -> object:
    for name in (".hydra", "checkpoints"):
        (path.parent / name).mkdir()
    shutil.copy(path, path.parent / ".hydra")
    (path.parent / "checkpoints" / "last.ckpt").touch()
    return read_resumed(path.parent, {"trainer.max_epochs": 3})


def _rows() -> bytes:
    rows = [{"file": f"{number}.png", "flag": "ok", "frame": None, "hc_mm": 100.5} for number in range(9)]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _resume_prediction(path: Path) -> object:
    return list(Journal(path.parent, {"ckpt": ["a"], "every": 1}, resume=True).rows)


def _study() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        study = open_study(SearchPlan(Path(folder), [], {}, SearchSettings()), create=True)
        study.optimize(lambda trial: trial.suggest_float("optim.lr", 0, 1), n_trials=3)
        return (Path(folder) / STUDY).read_bytes()


def _open_study(path: Path) -> object:
    return ended_trials(open_study(SearchPlan(path.parent, [], {}, SearchSettings()), create=True))
