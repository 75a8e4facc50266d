"""The predictor around networks whose answer is known: they see a head wherever the image is bright."""

import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import fetal_seg
from fetal_seg.errors import InputError
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.geometry.spacing import Spacing
from fetal_seg.images.grey import write_image
from fetal_seg.inference.predictor import Predictor
from fetal_seg.inference.pytorch import PyTorchRuntime
from fetal_seg.inference.runtime import Look
from fetal_seg.measurement.calibration import Calibration
from fetal_seg.models.preprocessing import Preprocessing
from tests.conftest import ROOT
from tests.dicom_files import region, write_dicom

CPU = torch.device("cpu")
HEAD = Ellipse(210.3, 148.7, 120.4, 92.2, 0.4)


class Bright(nn.Module):
    """Logits that are 0 at half brightness; `lean` adds some at the left of what it sees."""

    def __init__(self, lean: float = 0.0, offset: float = 0.0) -> None:
        super().__init__()
        self.lean, self.offset = lean, offset

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        left = torch.linspace(1, -1, x.shape[-1]).expand_as(x)
        return 20 * (x - 0.5) + self.offset + self.lean * left


def runtime(height=192, width=288, **keys):
    return PyTorchRuntime(Bright(**keys), Preprocessing(height, width, 0.0, 1.0), CPU)


def picture(head=HEAD, height=300, width=400, inside=250, outside=5):
    """Grey values that are half way between inside and outside on the ellipse."""
    cover = head.coverage(height, width)
    return np.rint(outside + cover * (inside - outside)).astype(np.uint8)


@pytest.mark.parametrize("size", [(192, 288), (288, 192), (64, 96), (300, 400)])
def test_the_ellipse_is_found_at_the_images_own_size(size):
    (found,) = Predictor([runtime(*size)]).predict([picture()])
    assert found.ellipse.circumference == pytest.approx(HEAD.circumference, rel=0.004)
    assert found.ellipse.center_x == pytest.approx(HEAD.center_x, abs=0.5)
    assert found.mask.shape == (300, 400)
    true = HEAD.rasterise(300, 400)
    assert 2 * (found.mask & true).sum() / (found.mask.sum() + true.sum()) > 0.985
    assert found.quality.reasons() == []


@pytest.mark.parametrize(("height", "width"), [(540, 800), (97, 800), (800, 140), (33, 31)])
def test_any_aspect_ratio(height, width):
    head = Ellipse(width / 2, height / 2, 0.3 * min(height, width), 0.23 * min(height, width), 1.0)
    (found,) = Predictor([runtime()]).predict([picture(head, height, width)])
    assert found.ellipse.circumference == pytest.approx(head.circumference, rel=0.02)


def test_a_head_cut_by_the_images_frame_is_measured_by_what_is_seen_and_told():
    """The image fills only the middle of the network's frame, so that its own border cuts the head."""
    head = Ellipse(100, 330, 130, 100, math.pi / 2)
    (found,) = Predictor([runtime()]).predict([picture(head, 400, 200)])
    assert found.ellipse.circumference == pytest.approx(head.circumference, rel=0.02)
    assert "the head touches the frame" in found.quality.reasons()


class Lying(Bright):
    """Sees what is bright only where it is broader than high."""

    def forward(self, x):
        rows, columns = ((x > 0.5).any(dim=dim).sum(dim=-1) for dim in (-1, -2))
        return torch.where((columns > rows)[..., None, None], super().forward(x), torch.full_like(x, -9.0))


@pytest.mark.parametrize("turn", [1.45, 1.57, 1.7])
def test_a_head_that_stands_is_found_in_the_turned_picture_and_told(turn):
    standing = Ellipse(230.2, 151.6, 120, 80, turn)
    lying = PyTorchRuntime(Lying(), Preprocessing(192, 288, 0.0, 1.0), CPU)
    images = [picture(), picture(standing), np.zeros((80, 90), np.uint8)]
    first, found, nothing = Predictor([lying]).predict(images)
    assert found.ellipse.circumference == pytest.approx(standing.circumference, rel=0.004)
    assert found.ellipse.center_x == pytest.approx(standing.center_x, abs=0.5)
    assert found.ellipse.center_y == pytest.approx(standing.center_y, abs=0.5)
    true = standing.rasterise(300, 400)
    assert 2 * (found.mask & true).sum() / (found.mask.sum() + true.sum()) > 0.985
    assert found.quality.reasons() == ["found only when the picture was turned by a quarter"]
    assert first.quality.reasons() == []
    assert nothing.ellipse is None
    assert nothing.mask.shape == (80, 90)


def test_an_implausible_region_does_not_count_though_it_is_larger():
    image = picture(Ellipse(120, 80, 60, 48, 0.2))
    image[200:290, 5:395] = 250  # a bar along the lower edge
    (found,) = Predictor([runtime()]).predict([image])
    assert found.ellipse.center_y == pytest.approx(80, abs=1)
    assert found.mask[150:].sum() == 0


@pytest.mark.parametrize("image", [np.zeros((50, 60), np.uint8), np.full((50, 60), 255, np.uint8)])
def test_an_image_of_one_grey_has_no_head(image):
    (found,) = Predictor([runtime()]).predict([image])
    assert found.ellipse is None
    assert found.mask.sum() == 0


def test_one_pixel_has_no_head():
    (found,) = Predictor([runtime()]).predict([np.full((1, 1), 200, np.uint8)])
    assert found.ellipse is None


def test_a_network_that_leans_to_one_side_is_righted_by_flips():
    plain = Predictor([runtime(lean=4.0)]).predict([picture()])[0]
    flipped = Predictor([runtime(lean=4.0)], flips=True).predict([picture()])[0]
    assert abs(flipped.ellipse.center_x - HEAD.center_x) < 0.2 < abs(plain.ellipse.center_x - HEAD.center_x)
    assert plain.quality.spread is None
    assert flipped.quality.spread >= 0


def test_an_ensemble_averages_logits_of_networks_of_different_sizes():
    low, high = runtime(128, 192, offset=-6.0), runtime(offset=6.0)
    both = Predictor([high, low]).predict([picture()])[0]
    assert both.ellipse.circumference == pytest.approx(HEAD.circumference, rel=0.004)
    single = [Predictor([one]).predict([picture()])[0].ellipse.circumference for one in (low, high)]
    assert single[0] < both.ellipse.circumference < single[1]
    assert both.quality.spread == pytest.approx((single[1] - single[0]) / np.mean(single), rel=0.2)  # one is resampled


def test_networks_that_see_no_head_where_others_do_are_told():
    found = Predictor([runtime(offset=9.0), runtime(offset=-12.0)]).predict([picture()])[0]
    assert found.quality.spread == math.inf


def test_a_batch_gives_what_single_images_give():
    images = [picture(), picture(Ellipse(300, 100, 60, 50, 0), 260, 500), picture(Ellipse(90, 90, 50, 40, 1), 200, 180)]
    predictor = Predictor([runtime()], flips=True)
    for image, found in zip(images, predictor.predict(images), strict=True):
        assert predictor.predict([image])[0].ellipse == found.ellipse


class Recording:
    """A runtime that is not of PyTorch."""

    preprocessing, calibration = Preprocessing(96, 144, 0.0, 1.0), None

    def __init__(self):
        self.seen = []

    def look(self, images):
        assert images.flags.c_contiguous
        self.seen.append(images)
        return Look(20 * (images.astype(np.float32) / 255 - 0.5))


def test_anything_that_gives_logits_runs_in_a_predictor():
    recording = Recording()
    (found,) = Predictor([recording], flips=True).predict([picture()])
    assert found.ellipse.circumference == pytest.approx(HEAD.circumference, rel=0.01)
    assert found.quality.spread == pytest.approx(0, abs=1e-6)
    plain, mirrored, upside_down, both = recording.seen
    assert plain.shape == (1, 96, 144)
    assert plain.dtype == np.uint8
    np.testing.assert_array_equal(mirrored, plain[:, :, ::-1])
    np.testing.assert_array_equal(upside_down, plain[:, ::-1])
    np.testing.assert_array_equal(both, plain[:, ::-1, ::-1])


def test_the_calibration_is_the_first_networks_unless_another_is_given():
    first, other = (Calibration(images=(name,)) for name in "ab")
    network = PyTorchRuntime(Bright(), Preprocessing(64, 96, 0.0, 1.0), CPU, calibration=first)
    assert Predictor([network, runtime()]).calibration == first
    assert Predictor([network], calibration=other).calibration == other
    assert Predictor([runtime()]).calibration is None


def test_the_predictor_is_imported_without_torch():
    code = "import sys, fetal_seg.inference.predictor; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_no_checkpoint_at_all_is_told():
    with pytest.raises(InputError, match="no checkpoint is given"):
        Predictor.load([])


class TestMeasure:
    def test_a_dicom_file_is_measured_with_its_own_pixel_size(self, tmp_path):
        path = write_dicom(tmp_path / "a.dcm", picture(), SequenceOfUltrasoundRegions=[region(0, 0, 399, 299, 0.012)])
        predictor = Predictor([runtime()])
        measured = predictor.measure(path)
        assert measured.spacing == Spacing(0.12, 0.12, "dicom region")
        assert measured.hc_mm == predictor.measure(picture(), 0.12).hc_mm
        assert measured.reasons == ()

    def test_a_pixel_size_that_is_given_goes_before_the_files_own(self, tmp_path):
        path = write_dicom(tmp_path / "a.dcm", picture(), SequenceOfUltrasoundRegions=[region(0, 0, 399, 299, 0.012)])
        measured = Predictor([runtime()]).measure(str(path), 0.2)
        assert measured.spacing == Spacing(0.2, 0.2, "given")
        assert measured.reasons == ("the file itself says 0.12 mm a pixel",)

    def test_of_several_frames_the_first_is_measured_and_it_says_so(self, tmp_path):
        frames = np.stack([picture(), np.zeros_like(picture())])
        path = write_dicom(tmp_path / "a.dcm", frames, frames=2)
        measured = Predictor([runtime()]).measure(path, 0.12)
        assert measured.hc_mm == Predictor([runtime()]).measure(picture(), 0.12).hc_mm
        assert measured.reasons == ("only the first frame was read",)

    def test_of_several_pages_the_first_is_measured_and_it_says_so(self, tmp_path):
        pages = [Image.fromarray(picture()), Image.fromarray(np.zeros_like(picture()))]
        pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
        measured = Predictor([runtime()]).measure(tmp_path / "a.tif", 0.12)
        assert measured.reasons == ("only the first of several pages was read",)

    def test_a_file_that_is_not_there_is_told(self, tmp_path):
        with pytest.raises(InputError, match="there is no such file"):
            Predictor([runtime()]).measure(tmp_path / "a.dcm")

    def test_colour_floating_point_and_wide_integers_are_the_same_image(self):
        grey = picture()
        predictor = Predictor([runtime()])
        expected = predictor.measure(grey, 0.12).hc_mm
        assert expected == pytest.approx(HEAD.circumference * 0.12, rel=0.004)
        opaque = np.full_like(grey, 255)
        for image in (
            grey[:, :, None],
            np.dstack([grey] * 3),
            np.dstack([grey, grey, grey, opaque]),
            grey / 255,
            grey.astype(np.uint16) * 257,
        ):
            assert predictor.measure(image, pixel_size_mm=0.12).hc_mm == pytest.approx(expected, rel=1e-3)

    def test_without_a_pixel_size_it_measures_in_pixels(self):
        measured = Predictor([runtime()]).measure(picture())
        assert measured.hc_mm is None
        assert measured.hc_px == pytest.approx(HEAD.circumference, rel=0.004)

    @pytest.mark.parametrize("size", [0.0, -0.1, math.nan, math.inf])
    def test_a_pixel_size_must_be_positive(self, size):
        with pytest.raises(ValueError, match="pixel size"):
            Predictor([runtime()]).measure(picture(), size)

    def test_what_is_no_image_is_refused(self):
        with pytest.raises(InputError, match="no image"):
            Predictor([runtime()]).measure(np.zeros((2, 3, 4, 5)))

    def test_a_file_is_measured_as_its_array(self, tmp_path):
        write_image(tmp_path / "a.png", picture())
        predictor = Predictor([runtime()])
        assert predictor.measure(tmp_path / "a.png", 0.12).hc_mm == predictor.measure(picture(), 0.12).hc_mm

    def test_it_is_offered_by_the_package_itself(self):
        assert fetal_seg.Predictor is Predictor
        with pytest.raises(AttributeError, match="nonsense"):
            _ = fetal_seg.nonsense
