"""The page's measurement beside predict.py: the same flags, reasons and numbers for the same files."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fetal_seg.data.phantom.writing import write_phantoms
from tests.conftest import DRAWN, drawn_head, table
from tests.dicom_files import region, write_dicom
from tests.web.conftest import assert_same


def extract(archive, folder, chosen):
    """Some of the images of an archive of HC18's layout, in a new folder; their paths."""
    folder.mkdir()
    with zipfile.ZipFile(archive) as content:
        names = sorted(name for name in content.namelist() if name.endswith("HC.png"))
        for name in chosen(names):
            (folder / Path(name).name).write_bytes(content.read(name))
    return sorted(folder.iterdir())


def sizes_of(file):
    return {row["filename"]: float(row["pixel size(mm)"]) for row in table(file)}


def test_phantoms(on_page, by_predict, network, tmp_path):
    write_phantoms(tmp_path, train=0, test=12, seed=3)
    files = extract(tmp_path / "test_set.zip", tmp_path / "images", lambda names: names)
    sizes = tmp_path / "test_set_pixel_size.csv"
    page = on_page(files, tmp_path, sizes_of(sizes))
    assert_same(page, by_predict(tmp_path / "images", tmp_path, network, f"pixel_size_csv={sizes}"))
    assert sum(row["flag"] == "ok" and bool(row["hc_low_mm"]) for row in page.values()) >= 10


def test_hc18(on_page, by_predict, network, hc18_root, tmp_path):
    files = extract(hc18_root / "training_set.zip", tmp_path / "images", lambda names: names[::20][:50])
    sizes = hc18_root / "training_set_pixel_size_and_HC.csv"
    page, key = on_page(files, tmp_path, sizes_of(sizes)), f"pixel_size_csv={sizes}"
    assert len(page) == 50
    assert_same(page, by_predict(tmp_path / "images", tmp_path, network, key))
    weights = by_predict(tmp_path / "images", tmp_path, "pretrained", key, "precision=32-true")
    for file, row in weights.items():  # the network's weights have half their precision in the page
        assert page[file]["flag"] == row["flag"]
        for column in ("hc_mm", "bpd_mm", "ofd_mm"):
            assert float(page[file][column]) == pytest.approx(float(row[column]), rel=1e-3)


def test_other_planes(on_page, by_predict, network, tmp_path):
    root = os.environ.get("PLANES_ROOT")
    if not root:
        pytest.skip("PLANES_ROOT is not set: no images of other planes here")
    images = tmp_path / "images"
    images.mkdir()
    rows = table(Path(root) / "planes.csv")
    for row in rows[:: len(rows) // 20][:20]:
        (images / row["filename"]).write_bytes((Path(root) / "images" / row["filename"]).read_bytes())
    page = on_page(sorted(images.iterdir()), tmp_path)
    assert_same(page, by_predict(images, tmp_path, network))
    assert len({row["flag"] for row in page.values()}) > 1


@pytest.fixture
def pictures(tmp_path):
    """A phantom in the kinds of PNG and JPEG that there are, and pictures of drawn heads and of none."""
    write_phantoms(tmp_path, train=0, test=1, seed=3)
    (file,) = extract(tmp_path / "test_set.zip", tmp_path / "images", lambda names: names)
    grey = Image.open(file).convert("L")
    grey.load()
    file.unlink()
    colours = Image.merge("RGB", [grey.point(lambda value, gain=gain: gain * value) for gain in (1.0, 0.9, 0.8)])
    veil = Image.fromarray(np.linspace(255, 190, grey.width).astype(np.uint8)[None].repeat(grey.height, 0))
    wide = Image.fromarray((np.asarray(grey, np.uint16) * 15 + 7).astype(np.uint16))
    clear = grey.copy()
    clear.info["transparency"] = 60
    kinds = {"grey": grey, "colours": colours, "wide": wide, "two": grey.convert("1"), "sixteen": grey.quantize(16)}
    kinds |= {"palette": colours.convert("P", palette=Image.Palette.ADAPTIVE, colors=64), "transparent": clear}
    kinds |= {
        "veiled": Image.merge("LA", [grey, veil]),
        "veiled_colours": Image.merge("RGBA", [*colours.split(), veil]),
    }
    kinds |= {"turned": grey.rotate(90, expand=True), "small": grey.resize((300, 203)), "half": grey.resize((768, 512))}
    kinds |= {"nothing": Image.new("L", (400, 300), 17), "noise": Image.effect_noise((400, 300), 60)}
    kinds |= {
        "cut": grey.crop((0, 0, round(0.6 * grey.width), grey.height)),
        "drawn": Image.fromarray(drawn_head(DRAWN)),
    }
    kinds |= {"dim": grey.point(lambda value: value / 12)}
    folder = tmp_path / "images"
    for name, image in kinds.items():
        image.save(folder / f"{name}.png")
    grey.save(folder / "grey.jpg", quality=95)
    colours.save(folder / "colours.jpeg", quality=95, subsampling=0)
    grey.save(folder / "several.png", save_all=True, append_images=[grey.rotate(10)])
    return folder


def test_kinds_of_pictures(pictures, on_page, by_predict, network, tmp_path):
    files = sorted(pictures.iterdir())
    page = on_page(files, tmp_path, {file.name: 0.12 for file in files})
    python = by_predict(pictures, tmp_path, network, "pixel_size_mm=0.12")
    given = {name: row | {"pixel_size_source": row["pixel_size_source"] and "csv"} for name, row in python.items()}
    lossy = {name for name in page if not name.endswith("png")}
    assert_same(*({name: rows[name] for name in rows if name not in lossy} for rows in (page, given)))
    # another decoder of JPEG is a grey value off here and there
    assert_same(*({name: rows[name] for name in lossy} for rows in (page, given)), relative=1e-3, scale=10)
    assert {row["flag"] for row in page.values()} == {"ok", "check", "no head"}
    assert page["several.png"]["reasons"].endswith("only the first of several pages was read")


def test_unusable_files(on_page, tmp_path):
    whole = tmp_path / "whole.png"
    Image.fromarray(drawn_head(DRAWN)).save(whole)
    content = whole.read_bytes()
    huge = content[:16] + (60_000).to_bytes(4) * 2 + content[24:]
    bad = {"cut.png": content[: len(content) // 2], "huge.png": huge, "empty.png": b"", "text.png": b"no image"}
    bad |= {"changed.png": content[:5000] + b"~~~" + content[5003:], "cut.jpg": b"\xff\xd8\xff\xe0", "no.dcm": b"DICOM"}
    for name, damaged in bad.items():
        (tmp_path / name).write_bytes(damaged)
    page = on_page([tmp_path / name for name in bad], tmp_path)
    assert {row["flag"] for row in page.values()} == {"error"}
    for name, row in page.items():
        assert row["reasons"].startswith(f"{name}: "), row["reasons"]
        assert "\n" not in row["reasons"]
        assert not row["hc_px"]
    assert "60000 x 60000 pixels; at most 89 million" in page["huge.png"]["reasons"]


def damaged(content, rng):
    """The bytes of a file, some of them changed, or cut off."""
    changed = bytearray(content)
    for place in rng.integers(0, min(len(content), 1500), rng.integers(1, 6)):
        changed[place] = rng.integers(0, 256)
    return bytes(changed[: rng.integers(1, len(changed))] if rng.random() < 0.3 else changed)


def test_damaged_files_are_rows_like_others(on_page, tmp_path):
    rng = np.random.default_rng(0)
    small = Image.fromarray(drawn_head(DRAWN)).resize((120, 80))
    small.save(tmp_path / "whole.png")
    small.save(tmp_path / "whole.jpg")
    write_dicom(tmp_path / "whole.dcm", np.asarray(small), SequenceOfUltrasoundRegions=[region(), region(delta_cm=9)])
    files = []
    for whole in ("whole.png", "whole.jpg", "whole.dcm"):
        for number in range(60):
            files.append(tmp_path / f"{number}_{whole}")
            files[-1].write_bytes(damaged((tmp_path / whole).read_bytes(), rng))
    page = on_page(files, tmp_path)
    assert len(page) == len(files)
    bad = [row for row in page.values() if row["flag"] == "error"]
    assert 60 <= len(bad) < len(files)
    assert all(row["reasons"].startswith(f"{row['file']}: ") for row in bad)


def test_names_are_no_formulas(on_page, tmp_path):
    name = '=cmd, "calc".png'
    Image.new("L", (40, 30), 9).save(tmp_path / name)
    page = on_page([tmp_path / name], tmp_path)
    assert list(page) == [f"'{name}"]


def test_the_columns_are_those_of_predictions(on_page, tmp_path):
    from fetal_seg.evaluation.tables import PREDICTION_COLUMNS

    Image.new("L", (40, 30), 9).save(tmp_path / "a.png")
    (row,) = on_page([tmp_path / "a.png"], tmp_path).values()
    assert tuple(row) == PREDICTION_COLUMNS
