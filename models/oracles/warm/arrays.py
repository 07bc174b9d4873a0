"""The arrays that the method computes with."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
