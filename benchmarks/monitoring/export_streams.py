"""Writes streams of `drift.py` for tools that run in environments of their own; see `peer_streams`.

Clean ones (`--peers`), and those in which all images change in one of the ways that the evidence
was made with.

    ./dev bench monitoring/export_streams --data digits DATA/cifar10 --peers 30 --shifts 3
"""

from drift import CLEAN, SHOWN, arguments_of_streams, planned
from drift_streams import Stream
from peer_streams import PeerStream, write

_WHOLE = {f"{kind} 100%" for kind in SHOWN}


def main() -> None:
    """Writes them."""
    arguments = arguments_of_streams(__doc__).parse_args()
    for data in arguments.data:
        for key, draw in planned(data, arguments):
            _, _, shift, number = key.split("/")
            is_quiet = shift == CLEAN and int(number) < arguments.peers // len(arguments.data)
            if is_quiet or shift in _WHOLE:
                write(arguments.tools, key, _as_seen_by_peers(draw()))


def _as_seen_by_peers(stream: Stream) -> PeerStream:
    reference, images = stream.reference, stream.observations
    return PeerStream(
        reference.projections.astype("float32"),
        images.projections.astype("float32"),
        reference.probabilities.argmax(axis=1),
        images.class_ids,
        stream.change,
    )


if __name__ == "__main__":
    main()
