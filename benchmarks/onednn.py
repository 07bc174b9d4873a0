"""What oneDNN brings to embedding on this processor: CPU time with it against without.

TensorFlow decides at its import, so each side runs in a process of its own, in turn; CPU seconds
of all threads count, and the fewest of several rounds stand.

    ./dev bench onednn --data ../shared/data/clothing
"""

import argparse
import os
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

_IMAGES = 256
_ROUNDS = 3
_SIZE = 224


def main() -> None:
    """Prints the milliseconds an image of both, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", required=True, help="folder with a folder of JPEGs per class")
    parser.add_argument("--measure", action="store_true", help="this process only, as it is")
    arguments = parser.parse_args()
    if arguments.measure:
        print(_milliseconds(Path(arguments.data)))
        return
    seen: dict[str, list[float]] = {"1": [], "0": []}
    for _ in range(_ROUNDS):
        for setting, figures in seen.items():
            figures.append(_in_a_process(setting))
    on, off = min(seen["1"]), min(seen["0"])
    print(f"with oneDNN, ms of CPU an image     {on:>6.1f}")
    print(f"without, ms of CPU an image         {off:>6.1f}")
    print(f"ratio                               {on / off:>6.2f}")


def _in_a_process(setting: str) -> float:
    environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": setting}
    command = [sys.executable, *sys.argv, "--measure"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def _milliseconds(data: Path) -> float:
    from models.backbones import build_backbone
    from models.data.image_decoding import ImageSpec
    from models.embedding.forward import Embedder

    images = [path.read_bytes() for path in islice(sorted(data.rglob("*.jpg")), _IMAGES)]
    embedder = Embedder(build_backbone("EfficientNetLite0", "none", _SIZE), ImageSpec(_SIZE))
    embedder.embed(images[:32])
    begin = time.process_time()
    embedder.embed(images)
    return (time.process_time() - begin) / len(images) * 1000


if __name__ == "__main__":
    main()
