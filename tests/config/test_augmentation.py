import pytest
from pydantic import ValidationError

from fetal_seg.config.augmentation import Augmentation


def test_augmentations_of_grey_values_are_gathered_and_written_beside_the_other_keys():
    augmentation = Augmentation(shadow=0.2, gamma=2.0)
    assert augmentation.grey == {"shadow": 0.2}
    content = augmentation.to_dict()
    assert (content["shadow"], content["gamma"]) == (0.2, 2.0)
    assert "grey" not in content
    assert Augmentation(**content) == augmentation


@pytest.mark.parametrize("keys", [{"shadow": 2.0}, {"shadw": 0.2}, {"scale": 0.5}, {"flip": 1}])
def test_what_is_no_augmentation_is_refused(keys):
    with pytest.raises(ValidationError):
        Augmentation(**keys)
