"""The seal of an artifact: a digest of all that a component published with it.

It is set when the artifact is published and asked whenever a later run would use the artifact
again. It covers the files and the properties, as some of those decide (`blessed`, for one). What
was published by a Graft that set no seals counts as whole.
"""

import hashlib
import logging
from pathlib import Path
from typing import Final

from ml_metadata.proto import metadata_store_pb2

from models.storage.seals import tree_digest

SEAL: Final = "graft_seal"
"""Custom property of a sealed artifact."""
EXPORT_DIGEST: Final = "export_digest"
"""Custom property of a blessing: `tree_digest` of the export that it speaks of."""

_ADDED: Final = (SEAL, "tfx_version")
"""Custom properties that are added when an artifact is published."""

_log = logging.getLogger(__name__)


def seal(artifact: metadata_store_pb2.Artifact) -> None:
    """Sets the seal of an artifact whose files and properties are all there.

    Raises:
        OSError: its files cannot be read.
    """
    artifact.custom_properties[SEAL].string_value = _digest(artifact)


def is_whole(artifact: metadata_store_pb2.Artifact) -> bool:
    """Whether an artifact is what was published."""
    if SEAL not in artifact.custom_properties:
        return True
    try:
        return artifact.custom_properties[SEAL].string_value == _digest(artifact)
    except OSError as error:
        _log.warning("%s cannot be read: %s", artifact.uri, error)
        return False


def _digest(artifact: metadata_store_pb2.Artifact) -> str:
    digest = hashlib.sha256(tree_digest(Path(artifact.uri)).encode())
    for properties in (artifact.properties, artifact.custom_properties):
        for key in sorted(properties):
            if key not in _ADDED:
                value = properties[key].SerializeToString(deterministic=True)
                digest.update(b"\0" + key.encode() + b"\0" + value)
    return digest.hexdigest()
