"""Memory that goes back to the system when a model leaves."""

import ctypes
import gc


def keep_what_is_imported() -> None:
    """Takes all objects that there are out of the garbage collector's sight, for good.

    For the start of a server, before a model is loaded: TensorFlow's modules are a million objects,
    and looking through them at every unload would hold up requests for half a second.
    """
    gc.collect()
    gc.freeze()


def give_back_memory() -> None:
    """Frees what unreachable cycles hold, as a TensorFlow graph does, and returns it.

    The C library would keep freed pages of a model for the next one, and of a large request for
    ever.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
