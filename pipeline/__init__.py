"""What runs, in what order: configuration, pipeline, runner, command and report."""

import models  # noqa: F401  (its settings must come before TensorFlow's import)
