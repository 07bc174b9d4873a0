"""Which images stay test images because the last blessed model was tested on them.

The next model is compared with that one on them. Whatever moves the border of the split, such as
other data, another seed or other shares, the next model must not learn them.
"""

import hashlib
import json
from pathlib import Path
from typing import Final

import ml_metadata as mlmd

from components.blessed_models import blessed_models
from components.image_register import read_register
from components.lineage import input_of, text_of
from models.data import example_schema

KEPT_TEST: Final = "kept_test"
"""Execution property, and custom property of the examples: directory of the Examples whose test
images stay test images; empty for none."""
SPLIT_INPUTS: Final = "split_inputs"
"""Custom property of the examples: digest of what decided the split, beside `KEPT_TEST`."""


def split_inputs(fingerprint: str, settings: str, seed: int) -> str:
    """Digest of what decides the split.

    Args:
        fingerprint: of the data.
        settings: of ingest, as JSON.
        seed: of the split.
    """
    return hashlib.sha256(json.dumps([fingerprint, settings, seed]).encode()).hexdigest()


def examples_to_keep(store: mlmd.MetadataStore, inputs: str) -> str:
    """Finds the Examples whose test images stay test images.

    Args:
        store: of the workspace.
        inputs: `split_inputs` of the coming ingest.

    Returns:
        The directory of what the last blessed model was trained on; empty where there is no such
        model. Where that came of the very same inputs, what was kept then, so that a second run
        finds the first one's result.
    """
    models = blessed_models(store)
    examples = input_of(store, models[0].id, "examples") if models else None
    if examples is None:
        return ""
    if text_of(examples, SPLIT_INPUTS) == inputs:
        return text_of(examples, KEPT_TEST)
    return str(examples.uri)


def kept_images(examples_uri: str) -> frozenset[str]:
    """The test images of an Examples artifact, as hex digests; none where it does not say.

    Args:
        examples_uri: its directory; empty for none.
    """
    register = read_register(Path(examples_uri)) if examples_uri else None
    if register is None:
        return frozenset()
    return frozenset(digest.hex() for digest in register.in_splits(example_schema.TEST))
