import math

import numpy as np
import pytest
from matplotlib.text import Text
from PIL import Image
from scipy import stats

from fetal_seg.measurement.biometry import hc_at_centile, size_for_age
from fetal_seg.report.prediction.growth_chart import (
    CENTILES,
    HC_MM,
    WEEKS,
    ChartPoint,
    centile_text,
    draw_growth_chart,
)


def at(weeks, z):
    mean, deviation = size_for_age(weeks)
    return weeks, mean + z * deviation


def points(figure):
    """What is drawn: filled and hollow points, each (n, 2) of weeks and mm."""
    filled, hollow = figure.axes[0].collections[-2:]
    return np.asarray(filled.get_offsets()), np.asarray(hollow.get_offsets())


def texts(figure):
    axes = figure.axes[0]
    listed = axes.get_legend().get_texts() if axes.get_legend() else []
    return [text.get_text() for text in (*axes.texts, *listed)]


def extent(annotation):
    """Where its words are: its own method adds the line to its point."""
    annotation.figure.draw_without_rendering()  # lays it out anew, after the file's own resolution
    return Text.get_window_extent(annotation)


def curves(figure):
    return [line for line in figure.axes[0].get_lines() if len(line.get_xdata())]


def test_the_curves_are_the_standard(tmp_path):
    figure = draw_growth_chart([at(20, 0)], tmp_path / "new" / "growth.png")
    drawn = {}
    for line in curves(figure):
        x, y = line.get_data()
        assert (x[0], x[-1]) == (14, 40)  # no further: the standard is not extrapolated
        mean, deviation = np.transpose([size_for_age(weeks) for weeks in x])
        percents = 100 * stats.norm.cdf((y - mean) / deviation)
        np.testing.assert_allclose(percents, percents[0])
        drawn[round(percents[0], 6)] = y[-1]
    assert sorted(drawn) == [3, 10, 50, 90, 97]
    names = {text.get_text(): text.get_position() for text in figure.axes[0].texts}
    for percent, name in CENTILES.items():
        x, y = names[name]
        assert x > 40
        assert y == pytest.approx(drawn[percent])
    with Image.open(tmp_path / "new" / "growth.png") as image:
        image.load()
        assert image.format == "PNG"
        assert min(image.size) > 600
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["growth.png"]
    assert "research use, not a medical device" in figure.get_supxlabel()


@pytest.mark.parametrize(
    ("weeks", "z", "words"),
    [
        (20, 0.0, "172.5 mm at 20 w 0 d\nz +0.00, centile 50"),
        (28, -1.0, "251.4 mm at 28 w 0 d\nz −1.00, centile 16"),
        (36, 3.0, "351.7 mm at 36 w 0 d\nz +3.00, above centile 99"),
        (14, -3.0, "81.1 mm at 14 w 0 d\nz −3.00, below centile 1"),
    ],
)
def test_one_measurement_is_labelled(tmp_path, weeks, z, words):
    figure = draw_growth_chart([at(weeks, z)], tmp_path / "a.png")
    filled, hollow = points(figure)
    np.testing.assert_allclose(filled, [at(weeks, z)])
    assert len(hollow) == 0
    assert words in texts(figure)


@pytest.mark.parametrize("z", [-4, 0, 1, 4])
@pytest.mark.parametrize("weeks", [14, 20, 34, 40])
def test_the_label_is_within_the_axes_and_off_the_curves(tmp_path, weeks, z):
    figure = draw_growth_chart([at(weeks, z)], tmp_path / "a.png")
    axes = figure.axes[0]
    (label,) = [text for text in axes.texts if "mm at" in text.get_text()]
    box = extent(label).transformed(axes.transData.inverted())
    assert WEEKS[0] < box.x0 < box.x1 < WEEKS[1]
    assert HC_MM[0] < box.y0 < box.y1 < HC_MM[1]
    x = np.linspace(max(box.x0, 14), min(box.x1, 40), 50)
    inside = (hc_at_centile(x, 97) > box.y0) & (hc_at_centile(x, 3) < box.y1)
    assert not inside.any()


def test_few_measurements_are_numbered_and_listed(tmp_path):
    given = [at(20.5, 0.5), at(20.5, 0.4), at(33, -2)]
    figure = draw_growth_chart(given, tmp_path / "a.png")
    np.testing.assert_allclose(points(figure)[0], given)
    found = texts(figure)
    assert found[-3:] == [ChartPoint(*pair).text for pair in given]
    numbers = [text for text in figure.axes[0].texts if text.get_text() in ("1", "2", "3")]
    assert {text.get_text(): text.xy for text in numbers} == {str(place): pair for place, pair in enumerate(given, 1)}
    boxes = [extent(text) for text in numbers]
    assert not any(a.overlaps(b) for place, a in enumerate(boxes) for b in boxes[:place])


def test_many_measurements_are_points_alone(tmp_path):
    random = np.random.default_rng(0)
    given = [at(weeks, random.normal()) for weeks in random.uniform(14, 40, 200)]
    figure = draw_growth_chart(given, tmp_path / "a.png")
    np.testing.assert_allclose(points(figure)[0], given)
    assert sorted(texts(figure)) == sorted(CENTILES.values())
    assert "n = 200" in figure.axes[0].get_title()
    weeks, sizes = np.transpose(given)
    inside = ((sizes >= hc_at_centile(weeks, 3)) & (sizes <= hc_at_centile(weeks, 97))).sum()
    assert f"from the 3rd to the 97th centile: {inside} of 200" in figure.axes[0].get_xlabel()


def test_an_age_out_of_range_is_drawn_hollow_and_told(tmp_path):
    figure = draw_growth_chart([(12.5, 75.0), at(20, 0), (41.0, 340.0)], tmp_path / "a.png")
    filled, hollow = points(figure)
    np.testing.assert_allclose(filled, [at(20, 0)])
    np.testing.assert_allclose(hollow, [(12.5, 75), (41, 340)])
    assert "75.0 mm at 12 w 4 d, age out of range" in texts(figure)
    assert "hollow: 2 at an age outside of 14 to 40 weeks" in figure.axes[0].get_xlabel()


def test_what_is_beyond_the_axes_is_drawn_at_their_edge_and_told(tmp_path):
    figure = draw_growth_chart([(30.0, 2000.0), (5.0, 30.0)], tmp_path / "a.png")
    filled, hollow = points(figure)
    np.testing.assert_allclose(filled, [(30, HC_MM[1])])
    np.testing.assert_allclose(hollow, [(WEEKS[0], HC_MM[0])])
    assert "2000.0 mm at 30 w 0 d" in " ".join(texts(figure))
    assert "beyond the axes, drawn at their edge: 2" in figure.axes[0].get_xlabel()
    assert figure.axes[0].get_ylim() == HC_MM  # a wrong pixel size does not squash the chart


def test_many_of_which_none_has_a_centile(tmp_path):
    figure = draw_growth_chart([(13.0, 85.0)] * 9, tmp_path / "a.png")
    assert figure.axes[0].get_xlabel().splitlines()[1:] == [
        "hollow: 9 at an age outside of 14 to 40 weeks, without a centile"
    ]


def test_no_measurement_is_the_standard_alone(tmp_path):
    figure = draw_growth_chart([], tmp_path / "a.png")
    assert sorted(texts(figure)) == sorted(CENTILES.values())
    assert figure.axes[0].get_xlabel() == "gestational age, weeks"


@pytest.mark.parametrize("pair", [(math.nan, 200.0), (0.0, 200.0), (150.0, 200.0), (20.0, 0.0), (20.0, math.inf)])
def test_what_is_no_measurement_is_refused_and_nothing_is_written(tmp_path, pair):
    with pytest.raises(ValueError, match="must be"):
        draw_growth_chart([at(20, 0), pair], tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("percent", "text"),
    [
        (50.4, "centile 50"),
        (1.0, "centile 1"),
        (0.99, "below centile 1"),
        (99.0, "centile 99"),
        (99.1, "above centile 99"),
    ],
)
def test_centile_text(percent, text):
    assert centile_text(percent) == text
