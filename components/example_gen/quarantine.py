"""What a Quarantine artifact holds: a line for all that is not used, and how the numbers add up."""

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable, Sequence

from components.example_gen.sources.entries import LeftOut


def as_lines(left_out: Iterable[LeftOut]) -> str:
    """Returns the text of `quarantine.jsonl`, sorted: a JSON object on each line.

    Args:
        left_out: everything that is not used.
    """
    rows = (json.dumps(dataclasses.asdict(one)) for one in sorted(left_out))
    return "".join(f"{row}\n" for row in rows)


def account(used: int, left_out: Sequence[LeftOut]) -> dict[str, int]:
    """Returns the numbers in `ingest.json` that add up: `offered` is the sum of the others.

    Args:
        used: number of images.
        left_out: everything that is not used.
    """
    fates = Counter(one.fate for one in left_out)
    return {
        "images": used,
        "offered": used + len(left_out),
        "quarantined": fates["refused"],
        "passed_over": fates["passed_over"],
        "unknown": fates["unknown"],
    }
