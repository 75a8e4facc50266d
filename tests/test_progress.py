from fetal_seg.progress import track


def test_items_pass_through_and_a_log_stays_clean(capfd):
    assert list(track(iter("abc"), "letters", total=3)) == ["a", "b", "c"]
    assert capfd.readouterr() == ("", "")
