"""The threads that TensorFlow computes with."""

import pytest
from tensorflow.core.protobuf import config_pb2

from models.errors import UsageError
from serving.servables.parallelism import Parallelism, parallelism_of


def _threads(parallelism: Parallelism) -> tuple[int, int, int]:
    config, options = config_pb2.ConfigProto(), config_pb2.RunOptions()
    parallelism.set_session(config)
    parallelism.set_run(options)
    return (
        config.intra_op_parallelism_threads,
        config.inter_op_parallelism_threads,
        options.inter_op_thread_pool,
    )


@pytest.mark.parametrize(
    ("flags", "threads"),
    [
        ((0, None, None), (1, 0, -1)),
        ((0, 0, None), (0, 0, -1)),
        ((0, 4, 2), (4, 2, 0)),
        ((0, None, 0), (1, 0, 0)),
        ((3, None, None), (3, 3, 0)),
    ],
)
def test_the_flags_set_the_threads(
    flags: tuple[int, int | None, int | None], threads: tuple[int, int, int]
) -> None:
    assert _threads(parallelism_of(*flags)) == threads


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ((2, 1, None), "give it, or them, not both"),
        ((2, None, 0), "give it, or them, not both"),
        ((0, -1, None), "--tensorflow_intra_op_parallelism is -1, expected 0"),
        ((0, None, -2), "--tensorflow_inter_op_parallelism is -2, expected 0"),
        ((-1, None, None), "--tensorflow_intra_op_parallelism is -1, expected 0"),
    ],
)
def test_flags_that_cannot_be_are_refused(
    flags: tuple[int, int | None, int | None], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        parallelism_of(*flags)
