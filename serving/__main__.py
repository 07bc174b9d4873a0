"""`python -m serving`: the embedded server with TensorFlow Serving's flags."""

import os
import sys

# Before TensorFlow is imported: a client's bad image is answered, not logged by every kernel.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from serving.server import main

sys.exit(main())
