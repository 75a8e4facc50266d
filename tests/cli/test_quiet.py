import os
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread, examples
from pydicom.encaps import encapsulate, generate_frames

from tests.dicom_files import GREY, RGB, write_dicom

# pydicom's complaints are ignored by the commands; here our own errors and notes are looked at
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.dcm"


def test_pydicom_and_its_log_are_kept_off_the_terminal(path):
    """pydicom warns of much, through `warnings` and through its log."""
    data = dcmread(examples.get_path("ybr_color"))
    data.PixelData = encapsulate(list(generate_frames(data.PixelData, number_of_frames=30))[:2])
    data.save_as(path)
    excess = write_dicom(path.with_name("b.dcm"), GREY, PixelData=GREY.tobytes() + bytes(50))
    code = (
        "import logging, sys; from pathlib import Path; from fetal_seg.errors import InputError\n"
        "from fetal_seg.cli.quiet import quiet_libraries; from fetal_seg.images.reader import read_frames\n"
        "logging.basicConfig(); quiet_libraries()\n"
        "for path in sys.argv[1:]:\n"
        "    try: print(sum(1 for _ in read_frames(Path(path), 'a')))\n"
        "    except InputError: print('refused')\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", code, path, excess], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("refused\n1\n", "")


def test_pillow_is_kept_off_the_terminal(tmp_path):
    """In a process of its own, with its own filters: Pillow warns of sizes up to twice its limit, and of damage."""
    Image.new("1", (10000, 10000)).save(tmp_path / "large.png")
    Image.fromarray(RGB).save(tmp_path / "cut.tif")
    Image.fromarray(np.tile(RGB, (20, 20, 1))).save(tmp_path / "packed.tif", compression="tiff_lzw")
    Image.fromarray(RGB).save(tmp_path / "cut.jpg")
    for name, part in (("cut.tif", 0.02), ("packed.tif", 0.5), ("cut.jpg", 0.5)):
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[: int(part * len(content))])
    code = (
        "import sys; from pathlib import Path; from fetal_seg.errors import InputError\n"
        "from fetal_seg.cli.quiet import quiet_libraries; from fetal_seg.images.grey import read_grey\n"
        "quiet_libraries()\n"
        "for path in sys.argv[1:]:\n"
        "    try: read_grey(Path(path))\n"
        "    except InputError as error: print(error)\n"
    )
    names = ("large.png", "cut.tif", "packed.tif", "cut.jpg")
    done = subprocess.run(
        [sys.executable, "-c", code, *(tmp_path / name for name in names)], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    large, *others = done.stdout.splitlines()
    assert "the image has 10000 x 10000 pixels; at most 89 million can be read; crop or scale it" in large
    assert [re.search("cannot be read", other) is None for other in others] == [False] * 3


def test_nothing_is_said_of_fonts_at_the_first_picture(tmp_path):
    code = (
        "import logging; from fetal_seg.cli.quiet import quiet_libraries\n"
        "logging.basicConfig(level=logging.INFO); quiet_libraries()\n"
        "import matplotlib.font_manager\n"
    )
    environment = {**os.environ, "MPLCONFIGDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert list(tmp_path.glob("fontlist*")), "they were looked for"
    assert (done.stdout, done.stderr) == ("", "")
