"""Which instance of a batch is to blame."""

import grpc
import numpy as np
import pytest

from serving.errors import ServingError, invalid_argument
from serving.inference.blame import blamed, may_be_blamed
from serving.inference.signature_call import SignatureCall

ERROR = invalid_argument("bad")


def _call(*values: int) -> SignatureCall:
    feeds = {"x": np.array(values), "y": np.arange(len(values))}
    return SignatureCall(None, feeds, fetches=("z",), aliases=("z",))  # type: ignore[arg-type]


def _run(call: SignatureCall) -> None:
    assert len(call.feeds["x"]) == len(call.feeds["y"])
    for value in call.feeds["x"].tolist():
        if value < 0:
            raise invalid_argument(f"bad {value}")


@pytest.mark.parametrize("position", range(7))
@pytest.mark.parametrize("others", [1, -2])
def test_the_first_bad_instance_is_named(position: int, others: int) -> None:
    values = [1] * position + [-1] + [others] * (6 - position)
    named = blamed(ERROR, _call(*values), _run)
    assert named.message == f"Instance {position} of the request: bad -1"
    assert named.code is ERROR.code


def test_a_batch_that_fails_only_as_a_whole_blames_nobody() -> None:
    def run(call: SignatureCall) -> None:
        if len(call.feeds["x"]) > 1:
            raise ERROR

    assert blamed(ERROR, _call(1, 2, 3, 4), run) is ERROR


def test_only_a_batch_that_is_at_fault_is_searched() -> None:
    assert may_be_blamed(ERROR, _call(1, -1))
    assert not may_be_blamed(ERROR, _call(-1))
    assert not may_be_blamed(ERROR, _call())
    late = ServingError(grpc.StatusCode.DEADLINE_EXCEEDED, "late")
    assert not may_be_blamed(late, _call(1, -1))
