import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fetal_seg.geometry.arrays import grey_quantiles


@given(
    st.lists(st.integers(0, 255), min_size=1, max_size=60),
    st.lists(st.floats(0, 1), min_size=1, max_size=4),
)
def test_quantiles_by_counting_are_numpys(values, fractions):
    image = np.array(values, np.uint8)
    np.testing.assert_allclose(grey_quantiles(image, fractions), np.quantile(image, fractions), atol=1e-9)
