"""Where a search and the training after it keep what frozen layers make of the images."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from components.code_fingerprint import code_fingerprint
from models.storage.folders import delete_others


def shared_activations(
    root: str, examples_uri: str, seed: int, left_out: Sequence[str] = ()
) -> Path:
    """The folder for some images and the code that runs now; all others are deleted.

    Args:
        root: of the workspace, for this alone.
        examples_uri: folder of the Examples.
        seed: of the changed views.
        left_out: names of images that are neither trained nor validated on.
    """
    parts = [examples_uri, seed, list(left_out), code_fingerprint("models.training.top_trainer")]
    key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
    folder = Path(root) / key
    delete_others(folder)
    return folder
