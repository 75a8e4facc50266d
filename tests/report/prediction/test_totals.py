import statistics

import pytest

from fetal_seg.report.prediction.totals import Totals


def row(file="a.png", flag="ok", **values):
    return {"file": file, "flag": flag, **values}


def test_rows_are_counted_as_they_pass():
    heads = [row(hc_mm=value, hc_px=2 * value) for value in (150.0, 170.5, 180.0)]
    others = [
        row("b.png", "check", hc_px=300.0, reasons=["cut off (12 %)", "odd"], frame=0),
        row("b.png", "check", hc_px=301.0, reasons=["cut off (9 %)"], frame=1),
        row("c.png", "no head"),
        row("d.png", "error", reasons=["cannot be read"]),
    ]
    totals = Totals.of(iter([*heads, *others]))
    assert totals.sentence == "7 images: 3 measured, 2 measured but to be checked, 1 without a head, 1 unreadable"
    assert totals.doubts == {"cut off": 2, "odd": 1}
    assert f"median {statistics.median([150.0, 170.5, 180.0]):.1f} mm, 150.0 to 180.0 mm" in totals.circumferences
    assert (totals.in_pixels, totals.unscaled, totals.unscaled_names) == (2, 1, "b.png")


@pytest.mark.parametrize(("count", "told"), [(5, "0, 1, 2, 3, 4"), (1000, "0, 1, 2, 3, 4 and 995 more")])
def test_of_many_files_the_first_are_named(count, told):
    assert Totals.of(row(str(number), hc_px=300.0) for number in range(count)).unscaled_names == told


def test_nothing():
    assert Totals.of([]).circumferences is None
    assert Totals.of([row(hc_mm=100.0)]).sentence.startswith("1 image: 1 measured")
