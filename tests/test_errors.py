import pytest

from fetal_seg.errors import InputError, enumerate_names, problems_with, refuse


def test_names_are_counted_after_the_first_few():
    assert enumerate_names(["a", "b"]) == "a, b"
    assert enumerate_names(list("abcdefgh")) == "a, b, c, d, e and 3 more"
    assert enumerate_names(list("abc"), most=1) == "a and 2 more"


def test_no_names_are_no_problem():
    assert problems_with([], "{} is missing") == []
    assert problems_with(["a", "b"], "no file for {}; add it") == ["no file for a, b; add it"]


def test_all_problems_are_one_error_a_sentence_a_line():
    refuse([])
    with pytest.raises(InputError, match=r"^one\ntwo$"):
        refuse(["one", "two"])
