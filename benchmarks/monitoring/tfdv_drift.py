"""TensorFlow Data Validation's L-infinity on windows of 50 images; see `peer_streams`.

    ./dev bench monitoring/tfdv_drift benchmarks/out/monitoring/streams

The class that each image was given is a feature of strings, and the reference the data before. The
threshold of its drift comparator is 0.1; its documentation's own example has 0.01, at which every
window of 50 images is an alarm.
"""

import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import tensorflow_data_validation as tfdv
from numpy.typing import NDArray
from peer_streams import PeerStream, first_window, measure
from tensorflow_data_validation.statistics.stats_impl import generate_statistics_in_memory
from tensorflow_metadata.proto.v0 import statistics_pb2

_FEATURE = "class"
_THRESHOLD = 0.1


def _statistics(classes: NDArray[Any]) -> statistics_pb2.DatasetFeatureStatisticsList:
    values = pa.array([[f"class {number}"] for number in classes.tolist()])
    batch = pa.RecordBatch.from_arrays([values], [_FEATURE])
    return generate_statistics_in_memory(batch, tfdv.StatsOptions())


def _first_alarm(stream: PeerStream) -> int | None:
    before = _statistics(stream.reference_classes)
    schema = tfdv.infer_schema(before)
    feature = tfdv.get_feature(schema, _FEATURE)
    feature.drift_comparator.infinity_norm.threshold = _THRESHOLD

    def is_alarm(stream: PeerStream, rows: slice) -> bool:
        now = _statistics(stream.classes[rows])
        found = tfdv.validate_statistics(now, schema, previous_statistics=before)
        measured = [each for info in found.drift_skew_info for each in info.drift_measurements]
        return any(each.value > each.threshold for each in measured)

    return first_window(stream, is_alarm)


if __name__ == "__main__":
    measure(Path(sys.argv[1]), {"TFDV": _first_alarm})
