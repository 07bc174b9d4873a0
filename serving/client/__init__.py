"""Asks a served model about images, over REST or gRPC, from plain code or from asyncio.

Works with TensorFlow Serving, with the embedded server and through a gateway alike:

    with GraftClient("http://127.0.0.1:8501", "digits") as client:
        answer = client.predict([image])
        for path, told in client.predict_files(sorted(Path("photos").iterdir())):
            ...

REST needs no TensorFlow.
"""

from serving.client.answers import Answer, ExplainedAnswer, Predictions
from serving.client.async_client import AsyncGraftClient
from serving.client.errors import PredictionError, RequestRefusedError
from serving.client.options import Options
from serving.client.sync_client import GraftClient, predict_grpc, predict_rest

__all__ = [
    "Answer",
    "AsyncGraftClient",
    "ExplainedAnswer",
    "GraftClient",
    "Options",
    "PredictionError",
    "Predictions",
    "RequestRefusedError",
    "predict_grpc",
    "predict_rest",
]
