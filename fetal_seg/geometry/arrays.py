"""Types of arrays that all packages share."""

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
FloatArray = NDArray[np.floating]
