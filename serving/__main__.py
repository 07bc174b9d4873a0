"""`python -m serving`: the embedded server with TensorFlow Serving's flags."""

import os
import sys

# Before TensorFlow is imported: a client's bad image is answered, not logged by every kernel.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from models.numerics import compute_with_onednn

compute_with_onednn()

from serving.server.model_server import main  # noqa: E402

sys.exit(main())
