"""TFX components of Graft, one folder each."""

import models  # noqa: F401  (its settings must come before TensorFlow's import)
