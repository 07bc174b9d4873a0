"""What becomes of training images whose label is taken for wrong; without Keras, for settings."""

from typing import Literal

LabelErrors = Literal["keep", "drop", "auto"]
"""Whether they are trained on, left out, or left out where that is seen to be better."""
