"""Turns the anomalies of TFX's ExampleValidator into findings."""

from collections.abc import Iterator, Mapping

from tensorflow_metadata.proto.v0 import anomalies_pb2

from components.findings import Finding
from components.image_validator.validation_settings import ValidationSettings
from models.data import example_schema


def check_anomalies(
    anomalies: Mapping[str, anomalies_pb2.Anomalies], schema_path: str, settings: ValidationSettings
) -> list[Finding]:
    """One finding for each feature of each split that does not fit the schema.

    Classes outside the schema's label domain are left out: `class_checks` names their images.

    Args:
        anomalies: split to what ExampleValidator found there.
        schema_path: the user's schema file.
        settings: the severity.
    """
    findings: list[Finding] = []
    for split, found in anomalies.items():
        for words in _in_words(found):
            message = f"the {split} split does not fit the schema: {words}"
            mend = (
                f"Mend the data, or edit the schema file {schema_path}. validation.schema_anomaly "
                "sets how serious this is."
            )
            findings += settings.finding("schema_anomaly", message, [], mend)
    return findings


def _in_words(found: anomalies_pb2.Anomalies) -> Iterator[str]:
    if found.HasField("dataset_anomaly_info"):
        yield _sentence(found.dataset_anomaly_info.description)
    for feature, info in sorted(found.anomaly_info.items()):
        if feature != example_schema.LABEL or not _only_new_values(info):
            yield f'feature "{feature}": {_sentence(info.description)}'


def _only_new_values(info: anomalies_pb2.AnomalyInfo) -> bool:
    new = anomalies_pb2.AnomalyInfo.ENUM_TYPE_UNEXPECTED_STRING_VALUES
    return {reason.type for reason in info.reason} == {new}


def _sentence(text: str) -> str:
    return text.strip().rstrip(".") + "."
