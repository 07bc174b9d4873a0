"""An end by the clock for a call that waits for another machine."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

_Result = TypeVar("_Result")


def within(seconds: float, call: Callable[[], _Result]) -> _Result:
    """Waits for a call, and no longer than it is told.

    Timeouts of sockets begin anew with each byte, so that a server which sends one now and then
    would hold its caller for ever.

    Args:
        seconds: to wait at most.
        call: is left to itself, in a thread that ends with the process, where it takes longer.

    Returns:
        What the call returns.

    Raises:
        TimeoutError: the time is over.
        Exception: what the call raises.
    """
    outcome: Future[_Result] = Future()

    def settle() -> None:
        try:
            outcome.set_result(call())
        except BaseException as error:  # noqa: BLE001 - the caller is told of whatever it was
            outcome.set_exception(error)

    thread = threading.Thread(target=settle, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError(f"no whole answer within {seconds:g} seconds")
    return outcome.result()
