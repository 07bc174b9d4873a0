"""Errors let go of what they came through."""

import gc
import weakref

from serving.errors import ServingError, from_number, invalid_argument, without_frames


class _Large:
    pass


def _failure(watched: list[weakref.ref[_Large]]) -> ServingError:
    large = _Large()
    watched.append(weakref.ref(large))
    try:
        try:
            raise ValueError("the cause")
        except ValueError as cause:
            raise invalid_argument("refused") from cause
    except ServingError as error:
        failure = without_frames(error)
    return failure


def test_an_error_without_frames_keeps_nothing_of_them() -> None:
    watched: list[weakref.ref[_Large]] = []
    gc.disable()
    try:
        failure = _failure(watched)
        assert watched[0]() is None
    finally:
        gc.enable()
    assert failure.message == "refused"


def test_clients_do_not_see_the_servers_files() -> None:
    words, node = "ValueError: no callback pyfunc_0", "\n\n\n\t [[{{node EagerPyFunc}}]]"
    lines = 'Traceback (most recent call last):\n\n  File "/srv/ops.py", line 9\n    f(x)\n\n'
    said = from_number(3, f"{words}\n{lines}{words}{node}").message
    assert said == f"{words}\n{words}{node}"
    assert from_number(3, f"{words}{node}").message == f"{words}{node}"
