import pytest

from fetal_seg.errors import InputError
from fetal_seg.evaluation.run_files import read_own_json, read_own_yaml


@pytest.mark.parametrize(("read", "text"), [(read_own_json, '{"a": 1}'), (read_own_yaml, "a: 1")])
def test_content_is_read_and_no_file_is_nothing(read, text, tmp_path):
    (tmp_path / "file").write_text(text)
    assert read(tmp_path / "file") == {"a": 1}
    assert read(tmp_path / "none") == {}


@pytest.mark.parametrize(
    ("read", "text", "sentence"),
    [
        (read_own_json, "{", "file is no JSON .*restore it"),
        (read_own_json, "[1]", "holds no keys"),
        (read_own_yaml, "a: [", "file is no YAML .*restore it"),
        (read_own_yaml, "text", "holds no keys"),
    ],
)
def test_damage_is_told(read, text, sentence, tmp_path):
    (tmp_path / "file").write_text(text)
    with pytest.raises(InputError, match=sentence):
        read(tmp_path / "file")
