"""The served model: a server with TensorFlow Serving's API, and its client."""

import models  # noqa: F401  (its settings must come before TensorFlow's import)
