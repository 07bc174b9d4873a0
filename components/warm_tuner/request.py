"""What one search was asked for, apart from what earlier searches give to it."""

import hashlib
import json
from collections.abc import Mapping, Sequence

from tfx.types import Artifact

REQUEST = "request"
"""Custom property of a TuningHistory: the digest of its request."""

PAST = "past"
"""Custom property of a TuningHistory: ids of the histories that its search was given, as JSON."""

ASKED = ("settings", "seed", "name", "knowledge", "code")
"""Parameters of WarmTuner that make up a request, beside its inputs."""


def request_digest(parameters: Mapping[str, object], inputs: Sequence[Artifact]) -> str:
    """Digest that two searches share when they were asked for the same.

    Args:
        parameters: of WarmTuner; those in `ASKED` count.
        inputs: its embeddings and its transform graph.

    Returns:
        64 hex digits.
    """
    asked = [[parameters[key] for key in ASKED], [artifact.id for artifact in inputs]]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()
