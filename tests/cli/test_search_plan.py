"""What is searched is agreed on once, whoever comes first."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from fetal_seg.cli.search_plan import agreed_study
from fetal_seg.config.search import RangeConfig, SearchSettings
from fetal_seg.errors import InputError
from fetal_seg.evaluation.runs import SPACE as FILE

SPACE = {"model.depth": [2, 3], "optim.lr": RangeConfig(low=0.001, high=0.1, log=True)}
FILED, SHARED = SearchSettings(), SearchSettings(storage="postgresql://me@host/searches")


def test_those_who_come_at_once_agree_on_a_name(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda _: agreed_study(tmp_path, ["seed=0"], SPACE, SHARED), range(8)))
    assert len(set(names)) == 1
    assert names[0].startswith(f"{tmp_path.name}-")


def test_two_folders_of_one_name_have_two_studies(tmp_path):
    (tmp_path / "a" / "search").mkdir(parents=True)
    (tmp_path / "b" / "search").mkdir(parents=True)
    one, other = (agreed_study(tmp_path / folder / "search", [], SPACE, SHARED) for folder in "ab")
    assert one != other


def test_a_folder_of_an_earlier_version_goes_on(tmp_path):
    space = {"model.depth": [2, 3], "optim.lr": {"low": 0.001, "high": 0.1, "log": True}}
    (tmp_path / FILE).write_text(json.dumps({"overrides": ["seed=0"], "space": space}))
    assert agreed_study(tmp_path, ["seed=0"], SPACE, FILED) == "search"


def test_what_differs_from_machine_to_machine_may_differ(tmp_path):
    first = agreed_study(tmp_path, ["seed=0", "++data.root=/here", "trainer.threads=2"], SPACE, SHARED)
    assert agreed_study(tmp_path, ["seed=0", "data.root=/there"], SPACE, SHARED) == first


@pytest.mark.parametrize(
    ("overrides", "settings", "told"),
    [
        (["seed=1"], SHARED, "holds another search"),
        (["seed=0"], FILED, "study is elsewhere; give the search.storage"),
    ],
)
def test_another_search_is_refused(overrides, settings, told, tmp_path):
    agreed_study(tmp_path, ["seed=0"], SPACE, SHARED)
    with pytest.raises(InputError, match=told):
        agreed_study(tmp_path, overrides, SPACE, settings)


def test_a_search_with_a_file_is_not_moved_into_a_storage(tmp_path):
    agreed_study(tmp_path, [], SPACE, FILED)
    with pytest.raises(InputError, match="leave search.storage out"):
        agreed_study(tmp_path, [], SPACE, SHARED)


def test_a_damaged_file_is_one_sentence(tmp_path):
    (tmp_path / FILE).write_text("{")
    with pytest.raises(InputError, match="is damaged .*give another output"):
        agreed_study(tmp_path, [], SPACE, FILED)
