import numpy as np
import pytest
from scipy.spatial import cKDTree

from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.images.drawing import BACKGROUND, NO_BREAK_SPACE, PREDICTION, TINT, TRUTH, in_colour, overlay, text_strip

HEAD = Ellipse(150.3, 101.7, 80.2, 60.4, 0.4)


def noise(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width), dtype=np.uint8)


def near(picture, colour, tolerance=40):
    return (np.abs(picture.astype(int) - colour).max(axis=2) <= tolerance).sum()


def test_an_overlay_of_nothing_is_the_image_in_colour():
    image = noise(192, 288)
    before = image.copy()
    picture = overlay(image)
    assert picture.dtype == np.uint8
    np.testing.assert_array_equal(picture, np.stack([image] * 3, axis=2))
    overlay(image, mask=HEAD.rasterise(192, 288), prediction=HEAD, truth=HEAD, caption="a head")
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("dtype", [np.uint8, bool, np.float32])
def test_a_mask_is_a_translucent_tint(dtype):
    image = noise(192, 288)
    mask = HEAD.rasterise(192, 288)
    picture = overlay(image, mask=mask.astype(dtype))
    inside = mask > 0
    expected = (1 - TINT) * in_colour(image)[inside] + TINT * np.array(PREDICTION)
    assert np.abs(picture[inside] - expected).max() <= 0.5
    np.testing.assert_array_equal(picture[~inside], in_colour(image)[~inside])


def test_a_mask_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"\(10, 10\) on an image of \(192, 288\)"):
        overlay(noise(192, 288), mask=np.ones((10, 10), np.uint8))


@pytest.mark.parametrize(("height", "width"), [(192, 288), (540, 800), (1080, 1600)])
def test_a_line_lies_on_its_ellipse_to_a_fraction_of_a_pixel(height, width):
    scale = width / 288
    ellipse = Ellipse(HEAD.center_x * scale, HEAD.center_y * scale, 80.2 * scale, 80.2 * scale, 0)
    light = overlay(np.zeros((height, width), np.uint8), prediction=ellipse)[..., 0] / PREDICTION[0]
    y, x = np.indices(light.shape)
    radius = np.hypot(x - ellipse.center_x, y - ellipse.center_y)
    assert np.average(x, weights=light) == pytest.approx(ellipse.center_x, abs=0.1)
    assert np.average(y, weights=light) == pytest.approx(ellipse.center_y, abs=0.1)
    assert np.average(radius, weights=light) == pytest.approx(ellipse.semi_axis_a, abs=0.1)
    assert light.sum() / ellipse.circumference == pytest.approx(max(1.2, 3.2 * width / 800), rel=0.02)  # its width
    assert ((light > 0.2) & (light < 0.8)).any()  # anti-aliased


def test_prediction_and_truth_are_both_seen_where_they_agree():
    picture = overlay(np.zeros((540, 800), np.uint8), prediction=HEAD, truth=HEAD)
    assert near(picture, PREDICTION) > 200
    assert near(picture, TRUTH) > 200


def test_the_truth_is_dashed():
    black = np.zeros((540, 800), np.uint8)
    solid, dashed = overlay(black, prediction=HEAD)[..., 0].sum() / PREDICTION[0], overlay(black, truth=HEAD)
    assert dashed[..., 2].sum() / TRUTH[2] / solid == pytest.approx(0.56, abs=0.03)


def test_the_colours_differ_in_blue_and_yellow_which_nearly_everyone_tells_apart():
    def yellow_minus_blue(colour):
        return (colour[0] + colour[1]) / 2 - colour[2]

    assert yellow_minus_blue(PREDICTION) - yellow_minus_blue(TRUTH) > 150


@pytest.mark.parametrize("head", [HEAD, Ellipse(30, 150, 300, 120, -1.2), Ellipse(100, 90, 70, 30, 1.5)])
def test_a_line_is_of_one_breadth_all_around(head):
    width = 3.2 * 540 / 800
    line = overlay(np.zeros((540, 400), np.uint8), prediction=head)[..., 0] / PREDICTION[0]
    y, x = np.indices(line.shape)
    distance, _ = cKDTree(head.points(20_000)).query(np.stack([x, y], axis=2), distance_upper_bound=4)
    assert np.abs(line - np.clip((width + 1) / 2 - distance, 0, 1)).max() < 0.03


def test_the_axes_lie_across_the_head_and_end_in_crosses_at_its_outline():
    black, head = np.zeros((540, 800), np.uint8), Ellipse(400, 260, 200, 150, 0)
    bare, drawn = (overlay(black, prediction=head, axes=axes)[..., 0] for axes in (False, True))
    y, x = np.nonzero(np.abs(drawn.astype(int) - bare) > 60)
    on_long, on_short = np.abs(y - 260) <= 1, np.abs(x - 400) <= 1
    near_end = (np.abs(np.abs(x - 400) - 200) < 11) & on_long | (np.abs(np.abs(y - 260) - 150) < 11) & on_short
    arms = (np.abs(np.abs(x - 400) - 200) <= 1) & (np.abs(y - 260) < 11) | (np.abs(np.abs(y - 260) - 150) <= 1) & (
        np.abs(x - 400) < 11
    )
    assert (on_long | on_short | arms).all()
    assert near_end.sum() > 4 * 2 * 8  # they reach over the line, where they are seen
    for along, center, length in ((x[on_long], 400, 200), (y[on_short], 260, 150)):
        assert abs(np.median(along) - center) < 6
        inside = np.unique(along[np.abs(along - center) < length - 15])
        assert len(inside) / (2 * length - 30) == pytest.approx(0.55, abs=0.1)  # dashed
        assert along.max() - along.min() == pytest.approx(2 * (length + 9.6), abs=3)


@pytest.mark.parametrize("grey", [0, 110, 170, 255])
def test_with_axes_all_lines_stand_out_from_any_ground(grey):
    def lightness(colours):
        return np.asarray(colours, float) @ (0.299, 0.587, 0.114)

    head, ground = Ellipse(400, 260, 200, 150, 0), np.full((540, 800), grey, np.uint8)
    picture = overlay(ground, prediction=head, axes=True)
    across = lightness(picture[300, 180:250])  # a cut through the outline
    assert np.ptp(across) > 90
    assert np.ptp(lightness(picture[250:271, 300:390])) > 75  # the long axis


def test_no_line_is_darkened_by_the_halo_of_another():
    black = np.zeros((540, 800), np.uint8)
    beside = Ellipse(HEAD.center_x, HEAD.center_y, HEAD.semi_axis_a + 3, HEAD.semi_axis_b + 3, HEAD.angle_rad)
    with_halo = overlay(black, prediction=HEAD, truth=beside, axes=True)
    without = overlay(black, prediction=HEAD, truth=beside)
    assert (with_halo >= without).all()  # what is more are the axes


def test_a_head_as_small_as_a_pixel_is_drawn():
    picture = overlay(np.full((30, 40), 50, np.uint8), prediction=Ellipse(20, 15, 0.4, 0.01, 1), axes=True)
    assert (picture != 50).any()


@pytest.mark.parametrize("ellipse", [Ellipse(1e7, -1e7, 50, 40, 1), Ellipse(-500, 90, 100, 80, 0)])
def test_what_is_outside_the_frame_leaves_no_trace(ellipse):
    image = noise(192, 288)
    np.testing.assert_array_equal(overlay(image, prediction=ellipse, truth=ellipse), in_colour(image))
    np.testing.assert_array_equal(overlay(image, prediction=ellipse, truth=ellipse, axes=True), in_colour(image))


@pytest.mark.parametrize(("height", "width"), [(192, 288), (540, 800), (3, 2), (700, 90)])
def test_the_caption_is_below_the_image_and_hides_nothing_of_it(height, width):
    image = noise(height, width)
    with_strip = overlay(image, prediction=HEAD, truth=HEAD, caption="000_HC.png   Dice 98.76 %")
    np.testing.assert_array_equal(with_strip[:height], overlay(image, prediction=HEAD, truth=HEAD))
    assert with_strip.shape[1:] == (width, 3)
    assert with_strip.shape[0] >= height + 12


def test_a_caption_of_a_small_image_is_legible():
    strip = overlay(noise(192, 288), truth=HEAD, caption="000_HC.png")[192:]
    assert (strip.min(axis=2) > 200).sum() > 50  # bright text,
    bright_rows = np.flatnonzero((strip.min(axis=2) > 150).any(axis=1))
    assert np.ptp(bright_rows) >= 9  # of a readable height,
    assert (strip == BACKGROUND).all(axis=2).mean() > 0.7  # on a dark ground


def test_the_legend_names_only_what_is_drawn():
    image = np.zeros((192, 288), np.uint8)
    drawn = {"neither": {}, "both": {"prediction": HEAD, "truth": HEAD}, "truth": {"truth": HEAD}}
    strips = {name: overlay(image, caption="x", **parts)[192:] for name, parts in drawn.items()}
    counts = {name: (near(strip, PREDICTION) > 0, near(strip, TRUTH) > 0) for name, strip in strips.items()}
    assert counts == {"neither": (False, False), "both": (True, True), "truth": (False, True)}


def test_long_text_is_wrapped_at_spaces_but_not_at_no_break_spaces():
    line = text_strip("one two", 400, 20).shape[0]
    assert text_strip("one two " * 20, 400, 20).shape[0] > 3 * line
    np.testing.assert_array_equal(text_strip(f"one{NO_BREAK_SPACE}two", 400, 20), text_strip("one two", 400, 20))
    assert text_strip("three three", 80, 20).shape[0] > text_strip(f"three{NO_BREAK_SPACE}three", 80, 20).shape[0]


def test_a_word_that_is_too_long_is_cut_to_the_width():
    strip = text_strip("a_name_without_a_space_" * 20, 300, 20)
    assert strip.shape == (text_strip("x", 300, 20).shape[0], 300, 3)
    assert (strip[:, -8:] == BACKGROUND).all()
