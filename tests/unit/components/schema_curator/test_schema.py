import pandas as pd
import pytest
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2

from components.schema_curator.inference import infer_schema
from components.schema_curator.schema import (
    known_labels,
    parse_schema,
    schema_text,
)
from components.statistics import stats_options
from models.data import example_schema
from models.errors import UsageError

LABEL = 'feature { name: "label" type: BYTES }'


def statistics(labels: list[str], image_format: str = "png"):
    frame = pd.DataFrame(
        {
            example_schema.LABEL: labels,
            example_schema.FORMAT: image_format,
            example_schema.CHANNELS: 1,
            example_schema.WIDTH: range(8, 8 + len(labels)),
            example_schema.SHARPNESS: 0.25,
            example_schema.PHASH: "0" * 16,
        }
    )
    return tfdv.generate_statistics_from_dataframe(frame, stats_options())


@pytest.fixture(scope="module")
def inferred() -> schema_pb2.Schema:
    splits = [statistics(["7", "ö\nx", "7"]), statistics(["new", "7"], "jpeg")]
    return infer_schema(splits, ["7", "ö\nx", "new"])


def test_the_label_domain_holds_the_classes_of_all_splits(inferred) -> None:
    assert known_labels(inferred) == frozenset({"7", "ö\nx", "new"})


def test_grey_images_do_not_make_the_number_of_channels_a_boolean(inferred) -> None:
    channels = next(one for one in inferred.feature if one.name == example_schema.CHANNELS)
    assert channels.WhichOneof("domain_info") is None


def test_only_the_label_and_the_derived_features_are_in_it(inferred) -> None:
    assert example_schema.PHASH not in {feature.name for feature in inferred.feature}


def test_the_file_can_be_read_back(inferred) -> None:
    text = schema_text(inferred)
    assert text.startswith("# Schema")
    assert parse_schema(text.encode(), "schema.pbtxt") == inferred


@pytest.mark.parametrize(
    "labels",
    [
        ["0", "1", "10"],
        ["-1", "+1", "007"],
        ["1.5", "2e3", "inf", "nan"],
        ["true", "false"],
        ["2024-01-01", "2024-01-02"],
        ["猫", "犬", "🙂"],
        ["a long sentence of many words. " * 9, "another sentence, as long as it. " * 9],
        ["https://a.example/x", "https://a.example/y"],
        [str(number) for number in range(1500)],
    ],
    ids=lambda labels: labels[0][:12],
)
def test_the_classes_are_a_string_domain_whatever_they_look_like(labels) -> None:
    schema = infer_schema([statistics([*labels, *labels]), statistics(labels[:1])], labels)
    assert known_labels(schema) == frozenset(labels)
    assert known_labels(parse_schema(schema_text(schema).encode(), "x")) == frozenset(labels)
    (label,) = [feature for feature in schema.feature if feature.name == example_schema.LABEL]
    assert label.type == schema_pb2.BYTES
    seen = tfdv.validate_statistics(statistics(labels), schema)
    assert example_schema.LABEL not in seen.anomaly_info
    found = tfdv.validate_statistics(statistics([*labels, "unheard of"]), schema)
    assert example_schema.LABEL in found.anomaly_info


def test_long_names_are_known_although_statistics_leave_them_out() -> None:
    labels = ["a" * 5000, "a" * 4999 + "b"]
    assert known_labels(infer_schema([statistics(labels)], labels)) == frozenset(labels)


def test_a_domain_of_numbers_as_once_inferred_knows_no_classes() -> None:
    schema = parse_schema(LABEL.replace("}", "int_domain {} }").encode(), "x")
    assert known_labels(schema) is None


def test_a_label_without_a_domain_is_free() -> None:
    assert known_labels(parse_schema(LABEL.encode(), "x")) is None


def test_a_domain_written_in_place_counts() -> None:
    text = 'feature { name: "label" type: BYTES string_domain { name: "l" value: "a" } }'
    assert known_labels(parse_schema(text.encode(), "x")) == frozenset({"a"})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"# mine\nfeature {\n nime: 1\n}", "line 3"),
        (b"feature {", "cannot be read"),
        (b"\xff\xfe", "not a UTF-8 text file"),
        (b"", 'must hold a feature with name "label"'),
        (LABEL.replace("BYTES", "INT").encode(), "type BYTES"),
        (LABEL.replace("}", 'domain: "gone" }').encode(), 'no string_domain with name "gone"'),
    ],
)
def test_a_bad_edit_is_told_with_its_place_and_its_mending(content: bytes, words: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_schema(content, "my/schema.pbtxt")
    message = str(raised.value)
    assert message.startswith("The schema my/schema.pbtxt")
    assert words in message
    assert "delete it to have the schema inferred anew" in message
