"""How one answer of a server is written down.

A row is an image that was answered, or a request that failed. Counts of all answers, sampled or
not, stand in the metadata of the file.
"""

from typing import Final

import pyarrow as pa

RECORD: Final = pa.schema(
    [
        pa.field("time", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("request_id", pa.string(), nullable=False),
        # Which image of the request, from 0; -1 where the request failed as a whole.
        pa.field("row", pa.int32(), nullable=False),
        pa.field("protocol", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("model", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        # 0 where none answered.
        pa.field("version", pa.int64(), nullable=False),
        # The version label that was asked for, such as `stable`; empty for none.
        pa.field("asked_label", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        # A gRPC status name, such as OK or INVALID_ARGUMENT, for REST too.
        pa.field("status", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("latency_ms", pa.float32(), nullable=False),
        # One in how many answers of this kind is written down: 1 divided by the rate.
        pa.field("weight", pa.float32(), nullable=False),
        # SHA-256 of the image's bytes, hex.
        pa.field("digest", pa.string()),
        # Most likely classes, most likely first, and their probabilities.
        pa.field("class_ids", pa.list_(pa.int32())),
        pa.field("probabilities", pa.list_(pa.float32())),
        # Calibrated probability of the most likely class.
        pa.field("confidence", pa.float32()),
        # Shannon entropy of all probabilities as served, nats.
        pa.field("entropy", pa.float32()),
        # As many as `IMAGE_SIGNALS`. Not of fixed size: Arrow does not read nulls of such back.
        pa.field("signals", pa.list_(pa.float32())),
        # `Reference.project` of the embedding.
        pa.field("projection", pa.list_(pa.float16())),
    ]
)
"""Columns of the request log; null where a model does not say it."""
