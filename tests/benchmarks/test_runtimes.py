from benchmarks.runtimes import HEADINGS, Times, cells

REFERENCE = Times("PyTorch", ((400.0, "ok"), (None, "no head"), (500.0, "ok")), (10.0, 11.0, 30.0), (20.0, 20.0, 90.0))


def test_a_row_compares_with_the_reference():
    other = Times("OpenVINO", ((401.0, "ok"), (None, "no head"), (500.0, "check")), (5.0, 6.0, 7.0), (12.0, 10.0, 9.0))
    row = dict(zip(HEADINGS, cells([REFERENCE], [other, other], "f32", 11.06), strict=True))
    assert list(row.values()) == ["OpenVINO", "f32", "6.0", "10.0", "0.50", "0.25 (0.083)", "1", "11.1"]


def test_a_head_that_one_alone_finds_is_infinitely_far():
    other = Times("x", ((None, "no head"), (None, "no head"), (500.0, "ok")), (1.0,), (2.0,))
    assert cells([REFERENCE], [other], "int8", 1.0)[5] == "inf (inf)"
    assert cells([REFERENCE], [REFERENCE], "f32", 1.0)[4:7] == ["1.00", "0 (0)", "0"]
