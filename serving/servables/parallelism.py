"""Threads that TensorFlow computes with."""

from dataclasses import dataclass
from typing import Any, Final

from models.errors import UsageError

_CALLERS_THREAD: Final = -1


@dataclass(frozen=True)
class Parallelism:
    """How TensorFlow shares the cores out; all models of a process go by the first one's.

    Many requests keep the cores busy without sharing one image's work out, and the small
    convolutions of an image model cost more in handing over than they gain: with a thread for each
    run, a single image is answered sooner and the cores answer more images (docs/SERVING.md).

    Attributes:
        intra_op: threads that share the work of one operation; 0 for one a core.
        inter_op: operations that run at a time, in threads that all runs share; 0 for one a core.
            None runs each in the thread that asks for it, so that a long one holds no other up.
    """

    intra_op: int = 1
    inter_op: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("intra", self.intra_op), ("inter", self.inter_op)):
            if value is not None and value < 0:
                raise UsageError(
                    f"--tensorflow_{name}_op_parallelism is {value}, expected 0 (a thread for each"
                    " core) or more."
                )

    def set_session(self, config: Any) -> None:
        """Sets the threads in the `ConfigProto` of a session."""
        config.intra_op_parallelism_threads = self.intra_op
        config.inter_op_parallelism_threads = self.inter_op or 0

    def set_run(self, options: Any) -> None:
        """Sets the threads in the `RunOptions` of a run."""
        if self.inter_op is None:
            options.inter_op_thread_pool = _CALLERS_THREAD


def parallelism_of(session: int, intra_op: int | None, inter_op: int | None) -> Parallelism:
    """What TensorFlow Serving's three flags ask for.

    Args:
        session: threads of both kinds; 0 if it is not given.
        intra_op: threads of one operation; None if it is not given.
        inter_op: operations at a time; None if it is not given.

    Raises:
        UsageError: they contradict each other, or one is negative.
    """
    if session == 0:
        return Parallelism(Parallelism.intra_op if intra_op is None else intra_op, inter_op)
    if intra_op is not None or inter_op is not None:
        raise UsageError(
            "--tensorflow_session_parallelism sets what --tensorflow_intra_op_parallelism and"
            " --tensorflow_inter_op_parallelism set one by one: give it, or them, not both."
        )
    return Parallelism(session, session)
