"""What becomes of images whose label is taken for wrong; without Keras, for settings."""

from typing import Literal

LabelErrors = Literal["keep", "drop", "auto"]
"""Whether they are trained and validated on, left out, or left out as far as labels are wrong."""
