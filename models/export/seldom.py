"""Parts of a graph that are seldom run."""

from collections.abc import Callable
from typing import Any, Final

import tensorflow as tf

NOINLINE: Final = {"_noinline": True, "_tf_data_function": True}
"""Attributes of a function that stays a single operation where it is called, and that TensorFlow
does not optimise in advance: that took ten seconds of a server's first answer. The second attribute
is that of functions in `tf.data`, which are left for later too."""


def seldom(*dtypes: tf.DType) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Makes a function of scalars a single operation where it stands in a branch.

    TensorFlow flattens branches and loops, and then passes over each operation of a branch that is
    not taken: hundreds of them for a rare kind of image cost as much as decoding a plain one.

    Args:
        *dtypes: of the arguments.
    """
    return tf.function(
        input_signature=[tf.TensorSpec([], dtype) for dtype in dtypes],
        autograph=False,
        experimental_attributes=NOINLINE,
    )
