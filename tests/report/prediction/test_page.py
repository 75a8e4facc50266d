import re
from urllib.parse import unquote

import numpy as np
import pytest

from fetal_seg.report.prediction.page import STEP, histogram
from tests.report.prediction.shown_page import Page
from tests.rows import ERROR, NO_HEAD, head

EVIL = "<script>alert('1')</script>.png"


def test_the_summary_counts_each_kind_and_says_what_it_is_not(written):
    rows = [head(), head(pixel_size=None), head(flag="check", reasons=["it is odd (3 %)"]), NO_HEAD, ERROR]
    html = written(rows)
    assert "5 images: 2 measured, 1 measured but to be checked, 1 without a head, 1 unreadable." in html
    assert "For research use, not a medical device." in html
    assert "so measured in pixels: 1." in html
    assert "it is odd (1)" in html
    pressed = [one["data-flag"] for one in Page(html).all("button") if "aria-pressed" in one]
    assert pressed == ["", "ok", "check", "no head", "error"]


def test_nothing_that_comes_from_outside_becomes_markup(written):
    named = head(EVIL, reasons=[f"odd {EVIL}"], flag="check", pixel_size_source=EVIL)
    html = written([named, ERROR | {"reasons": [EVIL]}], checkpoint=EVIL, command=EVIL)
    assert html.count("<script>") == 1  # the page's own
    page = Page(html)
    assert page.column("file")[0][0] == EVIL
    assert EVIL in page.column("flag and reasons")[0][0]
    assert all(not name.startswith("on") for _, attributes in page.elements for name in attributes)


@pytest.mark.parametrize("name", [EVIL, "a b#1?x=%41&amp;\"'.png", "ü/клип_00012.png", "javascript:alert(1)//.png"])
def test_thumbnails_and_their_links_are_the_overlays_beside_the_page(name, written):
    html = written([head(name), ERROR])
    (image,) = Page(html).all("img")
    (link,) = Page(html).all("a")
    assert image["src"] == link["href"]
    assert image["loading"] == "lazy"
    assert name in image["alt"]
    assert not set(link["href"]) & set("#?:\"' <>")
    assert unquote(link["href"]) == f"./overlays/{name}"


def test_the_page_needs_no_network(written, tmp_path):
    (tmp_path / "sub dir").mkdir()
    html = written([head(), NO_HEAD], growth_chart=tmp_path / "sub dir" / "growth.png")
    page = Page(html)
    assert not re.search(r"https?:|//[a-z]", re.sub(r"(?m)//\s.*$", "", html))
    assert [one["src"] for one in page.all("img")] == ["./sub%20dir/growth.png", "./overlays/a.png", "./overlays/b"]
    assert not page.all("link")


def test_ten_thousand_rows_are_shown_a_part_at_a_time(written):
    rows = [head(f"{index}.png", 100 + index / 100) for index in range(10_000)]
    html = written(rows)
    assert len(html) < 12e6
    hidden = [row.endswith(" hidden") for row in re.findall("<tr data-flag=[^>]*", html)]
    assert hidden == [False] * STEP + [True] * (10_000 - STEP)
    assert "<noscript><style>tr[hidden] { display: table-row; }" in html


def test_a_page_of_one_image_or_of_none_that_was_measured(written):
    assert "Head circumference of 1 image<" in written([head()])
    html = written([NO_HEAD])
    assert "<svg" not in html
    assert "1 image: 0 measured" in html


def test_the_histogram_counts_every_head_once():
    values = np.random.default_rng(0).uniform(40, 400, 500)
    drawn = histogram(values)
    expected, edges = np.histogram(values, np.arange(drawn.low, drawn.high + 1, 10))
    assert [count for _, count in drawn.bars] == list(expected)
    assert [mm for mm, _ in drawn.bars] == list(edges[:-1])
    assert expected[0] > 0
    assert expected[-1] > 0
    assert drawn.most == expected.max()
    assert len(drawn.ticks) <= 10
    assert histogram([100.0]) is None


@pytest.mark.parametrize("absurd", [3.0, 9000.0])
def test_a_circumference_of_no_head_does_not_stretch_the_histogram(absurd, written):
    drawn = histogram([100.0, 205.0, absurd])
    assert (drawn.low, drawn.high, drawn.beyond) == (100, 210, 1)
    html = written([head(), head(semi_axis=100.0), head(hc_mm=absurd)])
    assert "since no head has such a circumference: 1" in html
