"""The columns of the table, as the page shows them."""

from tests.report.prediction.shown_page import Page
from tests.rows import ERROR, NO_HEAD, head


def test_the_table_has_a_row_an_image_with_what_was_measured(written):
    rows = [head(), head("b.png", 100.0, frame=7), head("c.png", pixel_size=None), NO_HEAD, ERROR]
    page = Page(written(rows))
    hc = rows[0]["hc_mm"]
    assert page.column("file") == [(row["file"], None) for row in rows]
    assert page.column("HC, mm (90 % interval)")[0] == (f"{hc:.1f} ({hc - 2.5:.1f} to {hc + 2.5:.1f})", str(hc))
    assert page.column("HC, mm (90 % interval)")[2:] == [("–", "")] * 3
    assert [text for text, _ in page.column("HC, px")] == ["–", "–", f"{rows[2]['hc_px']:.0f}", "–", "–"]
    assert page.column("frame")[:2] == [("–", ""), ("7", "7.0")]
    assert page.column("BPD, mm")[0] == ("40.6", str(rows[0]["bpd_mm"]))
    assert page.column("OFD, mm")[0][0] == "52.0"
    assert page.column("CI, %")[0][0] == "78.0"
    assert page.column("age by INTERGROWTH-21st")[:2] == [
        ("17 w 6 d", str(rows[0]["ga_intergrowth_weeks"])),
        ("out of range", ""),
    ]
    assert page.column("pixel size, mm")[0] == ("0.13", "0.13")
    assert page.column("pixel size from")[0] == ("csv", None)
    assert [text.split() for text, _ in page.column("flag and reasons")][:4:3] == [
        ["ok"],
        ["no", "head", "no", "region", "looks", "like", "a", "head"],
    ]


def test_pixels_that_are_not_square_have_two_sizes(written):
    assert Page(written([head(pixel_size_y_mm=0.2)])).column("pixel size, mm") == [("0.13 × 0.2", "0.13")]


def test_columns_that_no_row_fills_are_left_out(written):
    plain = {text for text, _ in Page(written([head()])).rows[0]}
    assert not plain & {"frame", "HC, px", "age given", "z", "centile"}
    aged = Page(written([head(age=20.0)]))
    assert aged.column("age given")[0][0] == "20 w 0 d"
    assert aged.column("z")[0][0].startswith("−")
    assert float(aged.column("z")[0][1]) < 0
    assert float(aged.column("centile")[0][0]) < 50
    assert "picture" not in {text for text, _ in Page(written([head(overlay=None), ERROR])).rows[0]}
