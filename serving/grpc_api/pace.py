"""Spreads large messages out over time, so that small ones come in between.

gRPC hands a message over in one go, on the event loop: 60 MB hold up everybody else for a
fifteenth of a second. How large a message is shows once it is there. Who has sent a large one is
therefore taken to send another, and waits for a turn that leaves the loop to the others for most
of the time.
"""

from collections import OrderedDict
from typing import Final

_LARGE: Final = 2**20
_SECONDS_PER_BYTE: Final = 1 / 2**30
"""To hand a byte over, on a slow core."""
_SHARE: Final = 0.25
"""Most of the event loop's time that large messages may take."""
_MOST_SENDERS: Final = 10_000


class LargeSenders:
    """When the next message of each sender may be read.

    >>> senders = LargeSenders()
    >>> senders.note("ipv4:127.0.0.1:1000", 2**28)
    >>> [senders.wait("ipv4:127.0.0.1:1000", now=0.0) for _ in range(3)]
    [0.0, 1.0, 2.0]
    >>> senders.wait("ipv4:127.0.0.1:2000", now=0.0)
    0.0
    """

    def __init__(self) -> None:
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._free_from = 0.0

    def note(self, sender: str, size: int) -> None:
        """Notes that a message of so many bytes came from `sender`."""
        self._sizes.pop(sender, None)
        if size >= _LARGE:
            self._sizes[sender] = size
            if len(self._sizes) > _MOST_SENDERS:
                self._sizes.popitem(last=False)

    def wait(self, sender: str, now: float) -> float:
        """Takes a turn for the next message of `sender`; returns the seconds until it comes."""
        size = self._sizes.get(sender)
        if size is None:
            return 0.0
        begin = max(now, self._free_from)
        self._free_from = begin + size * _SECONDS_PER_BYTE / _SHARE
        return begin - now
