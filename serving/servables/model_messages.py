"""Answers about models as the protos of the TensorFlow Serving API."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, model_pb2

from serving.errors import invalid_argument
from serving.servables.registry import Target
from serving.servables.versions import Lease, VersionStatus

SIGNATURES: Final = "signature_def"
"""The one field of metadata that there is."""

Message = Any
"""A protobuf message; the stubs carry no types."""


def target_of(request: Message) -> Target:
    """What the `model_spec` of a request asks for.

    Raises:
        ServingError: it has none, or both a version and a label.
    """
    if not request.HasField("model_spec"):
        raise invalid_argument("Missing ModelSpec")
    spec = request.model_spec
    choice = spec.WhichOneof("version_choice")
    return Target(
        spec.name,
        version=spec.version.value if choice == "version" else None,
        label=spec.version_label if choice == "version_label" else None,
    )


def model_spec(lease: Lease, signature_name: str = "") -> Message:
    """Says which model, version and signature answered."""
    spec = model_pb2.ModelSpec(name=lease.name, signature_name=signature_name)
    spec.version.value = lease.version
    return spec


def status_response(statuses: Iterable[VersionStatus]) -> Message:
    """A `GetModelStatusResponse` that lists `statuses`."""
    response = get_model_status_pb2.GetModelStatusResponse()
    for status in statuses:
        entry = response.model_version_status.add(version=status.version, state=int(status.state))
        if status.error is not None:
            entry.status.error_code = status.error.number
            entry.status.error_message = status.error.message
        else:
            entry.status.SetInParent()
    return response


def signature_map(lease: Lease) -> Message:
    """A `SignatureDefMap` of every signature, without the defaults of inputs."""
    signatures = get_model_metadata_pb2.SignatureDefMap()
    for name, signature in lease.model.signatures.items():
        copied = signatures.signature_def[name]
        copied.CopyFrom(signature)
        copied.ClearField("defaults")
    return signatures


def metadata_response(lease: Lease, fields: Sequence[str]) -> Message:
    """A `GetModelMetadataResponse` with the signatures.

    Raises:
        ServingError: `fields` asks for nothing, or for anything but signatures.
    """
    if not fields:
        message = "GetModelMetadataRequest must specify at least one metadata_field"
        raise invalid_argument(message)
    for field in fields:
        if field != SIGNATURES:
            raise invalid_argument(f"Metadata field {field} is not supported")
    response = get_model_metadata_pb2.GetModelMetadataResponse(model_spec=model_spec(lease))
    response.metadata[SIGNATURES].Pack(signature_map(lease))
    return response
