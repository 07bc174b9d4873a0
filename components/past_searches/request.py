"""What one search was asked for, apart from what earlier searches give to it."""

import hashlib
import json
from collections.abc import Mapping, Sequence

from tfx.types import Artifact

REQUEST = "request"
"""Custom property of a TuningHistory: the digest of its request."""

PAST = "past"
"""Custom property of a TuningHistory: ids of the histories that its search was given, as JSON."""

NOT_ASKED = ("scratch_dir", "cache_dir", "activations_dir", "beside")
"""Parameters of a searching component that are no part of a request: they decide the cost alone."""

Inputs = Mapping[str, Sequence[Artifact]]
"""Of a searching component, by channel; the earlier searches in `past` are no part of a request."""


def request_digest(parameters: Mapping[str, object], inputs: Inputs) -> str:
    """Digest that two searches share when they were asked for the same.

    Args:
        parameters: of the component; all but those in `NOT_ASKED` count.
        inputs: of the component.

    Returns:
        64 hex digits.
    """
    artifacts = [each.id for key in sorted(inputs) if key != "past" for each in inputs[key]]
    asked = {key: value for key, value in parameters.items() if key not in NOT_ASKED}
    text = json.dumps([asked, artifacts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def note_request(history: Artifact, parameters: Mapping[str, object], inputs: Inputs) -> None:
    """Notes on a history what `components.past_searches.past_searches_resolver` finds it again by.

    Args:
        history: the output of a searching component.
        parameters: of the component.
        inputs: of the component.
    """
    past = [artifact.id for artifact in inputs.get("past", [])]
    history.set_string_custom_property(REQUEST, request_digest(parameters, inputs))
    history.set_string_custom_property(PAST, json.dumps(past))
