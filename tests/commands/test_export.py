"""Export by its command: the file measures as its checkpoint does, proves it, and is refused where it is not whole."""

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from fetal_seg.config.commands import ExportConfig
from fetal_seg.evaluation.parity import MOST_PERCENT
from fetal_seg.images.grey import read_grey, write_image
from fetal_seg.inference.exported import read_exported
from fetal_seg.inference.opening import open_runtime
from fetal_seg.inference.predictor import Predictor
from fetal_seg.models.checkpoint import read_checkpoint
from tests.conftest import DRAWN, drawn_head, run_command, table

FORMATS = {"onnx": ".onnx", "openvino": ".xml"}

for package in ("onnx", "onnxscript", "onnxruntime", "openvino", "nncf"):
    pytest.importorskip(package, reason="exports need it: pip install 'fetal_seg[onnx,openvino]'")


def export(good, cache_dir, folder, name, precision, stem, *keys):
    """Call the command; its file is ``STEM.SUFFIX`` in the folder."""
    made = [f"ckpt={good}", f"format={name}", f"precision={precision}", f"output={stem}{FORMATS[name]}"]
    return run_command("export.py", *made, f"data.cache_dir={cache_dir}", *keys, cwd=folder)


@pytest.fixture(scope="module")
def exports(good, cache_dir, tmp_path_factory):
    """The checkpoint in each format; and what the command printed."""
    folder, printed = tmp_path_factory.mktemp("exports"), {}
    for name in FORMATS:
        done = export(good, cache_dir, folder, name, "f32", "head")
        assert done.returncode == 0, done.stderr
        printed[name] = done.stdout
        (folder / "head_proof.csv").rename(folder / f"{name}_proof.csv")
    assert {path.name for path in folder.iterdir()} == {
        "head.onnx", "head.xml", "head.bin", "onnx_proof.csv", "openvino_proof.csv",
    }  # fmt: skip
    return folder, printed


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("picture") / "head.png"
    write_image(path, drawn_head(DRAWN))
    return path


@pytest.fixture(scope="module")
def scan(phantoms, tmp_path_factory):
    """An image of the kind that the checkpoint knows."""
    folder = tmp_path_factory.mktemp("scan")
    with zipfile.ZipFile(phantoms / "test_set.zip") as archive:
        name = next(name for name in archive.namelist() if name.endswith(".png"))
        return read_grey(Path(archive.extract(name, folder)))


@pytest.mark.parametrize("name", FORMATS)
class TestExport:
    def test_the_proof_has_each_validation_image(self, exports, good, name):
        folder, printed = exports
        rows = table(folder / f"{name}_proof.csv")
        assert tuple(row["file"] for row in rows) == read_checkpoint(good).description.split.val
        for row in rows:
            assert float(row["hc_difference_percent"]) <= 0.01
            assert float(row["hc_mm"]) == pytest.approx(float(row["hc_mm_reference"]), rel=1e-4)
            assert row["flag"] == row["flag_reference"]
        assert f"{len(rows)} images" in printed[name]

    def test_it_measures_what_the_checkpoint_measures(self, exports, good, scan, name):
        ours = Predictor.load(good, "cpu", precision="32-true").measure(scan, 0.1)
        theirs = Predictor.load(exports[0] / f"head{FORMATS[name]}").measure(scan, 0.1)
        assert ours.hc_mm is not None
        assert (theirs.flag, theirs.reasons) == (ours.flag, ours.reasons)
        for name_of in ("hc_mm", "bpd_mm", "ofd_mm", "hc_low_mm", "hc_high_mm", "confidence", "head_probability"):
            expected = getattr(ours, name_of)
            assert getattr(theirs, name_of) == (None if expected is None else pytest.approx(expected, rel=1e-4))

    def test_it_says_what_the_checkpoint_says(self, exports, good, name):
        read, checkpoint = read_exported(exports[0] / f"head{FORMATS[name]}"), read_checkpoint(good)
        assert read.description.to_dict() == checkpoint.description.to_dict() | {"export": read.export.to_dict()}
        assert (read.export.format, read.export.precision) == (name, "f32")

    def test_several_threads_and_any_batch_get_the_same(self, exports, good, name):
        from concurrent.futures import ThreadPoolExecutor

        reference = open_runtime(good, "cpu", "32-true")
        made = reference.preprocessing
        images = np.random.default_rng(0).integers(0, 256, (6, made.height, made.width), np.uint8)
        logits = reference.look(images).logits
        runtime = open_runtime(exports[0] / f"head{FORMATS[name]}", threads=1)
        np.testing.assert_allclose(runtime.look(images).logits, logits, atol=1e-3)
        with ThreadPoolExecutor(3) as pool:
            for one, expected in zip(pool.map(runtime.look, images[:, None]), logits, strict=True):
                np.testing.assert_allclose(one.logits[0], expected, atol=1e-3)

    def test_predict_and_evaluate_take_it(self, exports, good, cache_dir, phantoms, name, tmp_path):
        file = exports[0] / f"head{FORMATS[name]}"
        source, overlays = f"input={phantoms}/test_set.zip", "overlays=false"
        for ckpt, out in ((file, "theirs"), (good, "ours")):
            done = run_command(
                "predict.py", f"ckpt={ckpt}", source, overlays, "precision=32-true", f"output={out}", cwd=tmp_path
            )
            assert done.returncode == 0, done.stderr
        ours, theirs = (table(tmp_path / out / "predictions.csv") for out in ("ours", "theirs"))
        assert len(ours) == 4
        for one, other in zip(ours, theirs, strict=True):
            assert (one["file"], one["flag"], one["reasons"]) == (other["file"], other["flag"], other["reasons"])
            assert float(other["hc_mm"]) == pytest.approx(float(one["hc_mm"]), rel=1e-4)
        done = run_command("evaluate.py", f"ckpt={file}", f"data.cache_dir={cache_dir}", "output=scores", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert len(table(tmp_path / "scores" / "per_image.csv")) == len(read_checkpoint(good).description.split.val)

    def test_weights_in_float16_take_half_of_the_room_and_measure_alike(self, exports, good, cache_dir, name, tmp_path):
        done = export(good, cache_dir, tmp_path, name, "f16", "half", "max_difference_percent=0.3")
        assert done.returncode == 0, done.stderr
        weights = ".bin" if name == "openvino" else FORMATS[name]
        assert (tmp_path / f"half{weights}").stat().st_size < 0.75 * (exports[0] / f"head{weights}").stat().st_size
        rows = table(tmp_path / "half_proof.csv")
        assert max(float(row["hc_difference_percent"]) for row in rows) < 0.3

    def test_int8_is_smaller_still_and_says_how_far_it_is_off(self, exports, good, cache_dir, name, tmp_path):
        done = export(good, cache_dir, tmp_path, name, "int8", "int8", "max_difference_percent=20")
        assert done.returncode == 0, done.stderr
        assert len(table(tmp_path / "int8_proof.csv")) == len(read_checkpoint(good).description.split.val)
        read = read_exported(tmp_path / f"int8{FORMATS[name]}")
        assert read.export.precision == "int8"
        images = np.zeros((2, read.description.preprocessing.height, read.description.preprocessing.width), np.uint8)
        assert open_runtime(tmp_path / f"int8{FORMATS[name]}").look(images).logits.shape == images.shape

    def test_a_file_that_measures_otherwise_is_not_kept(self, good, cache_dir, name, tmp_path):
        done = export(good, cache_dir, tmp_path, name, "f16", "half", "max_difference_percent=1e-9")
        assert done.returncode == 2
        assert "the circumference differs by" in done.stderr
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text", "gone"])
    def test_a_damaged_file_is_one_sentence(self, exports, picture, name, damage, tmp_path):
        for part in exports[0].glob("head.*"):
            shutil.copy(part, tmp_path)
        weights = tmp_path / ("head.bin" if name == "openvino" else "head.onnx")
        content = bytearray(weights.read_bytes())
        middle = len(content) // 2
        content[middle] ^= 64
        damaged = {"cut": content[:middle], "flipped": content, "empty": b"", "text": b"no network"}
        weights.unlink() if damage == "gone" else weights.write_bytes(damaged[damage])
        file = tmp_path / f"head{FORMATS[name]}"
        done = run_command("predict.py", f"ckpt={file}", f"input={picture}", "output=out", cwd=tmp_path)
        assert done.returncode == 2
        assert done.stderr.startswith("error: ")
        assert str(file) in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1

    def test_it_runs_on_the_cpu_in_float32_alone(self, exports, picture, name, tmp_path):
        file = exports[0] / f"head{FORMATS[name]}"
        for key, told in (("device=gpu", "runs on the CPU"), ("precision=bf16-mixed", "computes in float32")):
            done = run_command("predict.py", f"ckpt={file}", f"input={picture}", key, "output=out", cwd=tmp_path)
            assert done.returncode == 2
            assert told in done.stderr


class TestRefusals:
    @pytest.mark.parametrize(
        ("keys", "told"),
        [
            (["output=head.xml"], "ends in .onnx"),
            (["ckpt=gone.ckpt"], "there is no such file"),
            (["ckpt=head.onnx"], "is an export already"),
            (["precision=f8"], "precision"),
            (["data=folder", "data.root=gone", "ckpt=pretrained"], "gone"),
        ],
    )
    def test_what_cannot_be_exported_is_one_sentence(self, keys, told, good, tmp_path):
        done = run_command("export.py", f"ckpt={good}", *keys, cwd=tmp_path)
        assert done.returncode == 2
        assert told in done.stderr
        assert list(tmp_path.iterdir()) == []

    def test_calibrating_an_export_is_refused(self, exports, tmp_path):
        done = run_command("evaluate.py", f"ckpt={exports[0]}/head.onnx", "calibrate=true", "output=out", cwd=tmp_path)
        assert done.returncode == 2
        assert "stays as it is" in done.stderr

    def test_a_model_of_another_program_is_refused(self, picture, tmp_path):
        from onnx import TensorProto, helper, save

        values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y")]
        graph = helper.make_graph([helper.make_node("Abs", ["x"], ["y"])], "other", values[:1], values[1:])
        save(helper.make_model(graph), tmp_path / "other.onnx")
        done = run_command("predict.py", "ckpt=other.onnx", f"input={picture}", "output=out", cwd=tmp_path)
        assert done.returncode == 2
        assert "is no export of this program" in done.stderr

    @pytest.mark.parametrize("kind", ["outside", "custom"])
    def test_files_and_code_outside_an_export_are_never_touched(self, exports, picture, kind, tmp_path):
        import onnx
        from onnx import TensorProto, helper

        from fetal_seg.models.exported import SEAL_ENTRY, UNSEALED, sealed

        model = onnx.load(exports[0] / "head.onnx")
        if kind == "custom":
            model.graph.node.add(op_type="Evil", domain="of.another", input=["images"], output=["ignored"])
            model.opset_import.append(helper.make_opsetid("of.another", 1))
        else:
            (tmp_path / "secret").write_bytes(bytes(4096))
            tensor = next(one for one in model.graph.initializer if one.data_type == TensorProto.FLOAT)
            tensor.ClearField("raw_data")
            tensor.data_location = TensorProto.EXTERNAL
            tensor.external_data.add(key="location", value=str(tmp_path / "secret"))
        for entry in model.metadata_props:
            if entry.key == SEAL_ENTRY:
                entry.value = UNSEALED
        (tmp_path / "made.onnx").write_bytes(sealed([model.SerializeToString()])[0])
        done = run_command("predict.py", "ckpt=made.onnx", f"input={picture}", "output=out", cwd=tmp_path)
        assert done.returncode == 2
        assert "cannot be run" in done.stderr


def test_without_its_own_images_phantoms_prove_the_pretrained_network(tmp_path):
    done = run_command(
        "export.py", "data.limit=2", "output=new/head.onnx", cwd=tmp_path, env={"HC18_ROOT": str(tmp_path)}
    )
    assert done.returncode == 0, done.stderr
    assert "proved on phantoms" in done.stdout + done.stderr
    assert len(table(tmp_path / "new" / "head_proof.csv")) == 2


def test_without_a_limit_each_precision_has_its_own():
    assert ExportConfig().max_difference_percent is None
    assert MOST_PERCENT["f32"] == 0.01
    assert MOST_PERCENT["int8"] == 0.3
