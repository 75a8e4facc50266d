import pytest

from fetal_seg.report.checklist.points import Missing, Point, Status, Told, answer

TOLD, MISSING = Told("3 images", "split.json"), Missing("split.json", "train")


@pytest.mark.parametrize(
    ("facts", "author", "status"),
    [
        ([], "", Status.AUTHOR),
        ([TOLD], "", Status.TOLD),
        ([TOLD], "why", Status.PART),
        ([TOLD, MISSING], "", Status.MISSING),
        ([MISSING], "why", Status.MISSING),
    ],
)
def test_the_status_of_a_point(facts, author, status):
    point = Point("1", "How many", tuple(lambda _, fact=fact: fact for fact in facts), author)
    answered = answer(point, None)
    assert answered.status == status
    assert answered.asks_author == (bool(author) or not facts)


def test_a_fact_is_told_once():
    assert answer(Point("1", "How many", (lambda _: TOLD, lambda _: TOLD)), None).told == (TOLD,)
