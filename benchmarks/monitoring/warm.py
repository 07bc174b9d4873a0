"""Computes and keeps all that the benchmarks of this folder need; resumable.

./dev bench monitoring/warm --data digits ../shared/data/clothing --shifts blur-2 noise-2
"""

import argparse
from pathlib import Path

from streams import ServedSet


def main() -> None:
    """Prints a line for each shift."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", nargs="+", required=True)
    parser.add_argument("--shifts", nargs="*", default=["black", "swapped"])
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/monitoring"))
    arguments = parser.parse_args()
    for data in arguments.data:
        served = ServedSet(data, arguments.cache)
        for shift in ["clean", *arguments.shifts]:
            answers = served.answers(shift)
            right = (answers.probabilities.argmax(axis=1) == answers.labels).mean()
            print(f"{served.name} {shift}: {len(answers)} images, {right:.3f} right", flush=True)


if __name__ == "__main__":
    main()
