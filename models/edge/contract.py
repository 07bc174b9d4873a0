"""What every exported model has in common, whatever its format."""

from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

INPUT: Final = "image"
OUTPUT: Final = "probabilities"
FLOAT: Final = "float32"
INT8: Final = "int8"


class Runner(Protocol):
    """A model in the interpreter of its format, one image at a time, on one core."""

    def probabilities(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """Classifies one image.

        Args:
            image: float32 [s, s, 3], RGB in 0..255; rounded where the model takes uint8.

        Returns:
            float32 [k].
        """
