"""The main job on the handwritten digits that scikit-learn ships: real data, no download."""

import sys
from pathlib import Path

from pipeline.config import Config
from pipeline.failure import writing_to


def write_digits(folder: Path) -> None:
    """Writes scikit-learn's 1,797 digits as PNG files, a folder per class.

    Args:
        folder: made if absent; a file that is there already is left alone, so that a second
            demo finds the same data.
    """
    import numpy as np
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    for index, (image, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        path = folder / str(label) / f"{index:04d}.png"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.rint(image * (255 / 16)).astype(np.uint8)
            enlarged = Image.fromarray(pixels).resize((32, 32), Image.Resampling.BICUBIC)
            partial = path.with_suffix(".partial")
            enlarged.save(partial, format="png")
            partial.rename(path)


def demo(workspace: Path) -> int:
    """Runs the main job on the digits, then asks the pushed model over REST and gRPC.

    Returns:
        The exit code of the run.
    """
    from pipeline.predict_command import Servers, predict
    from pipeline.run import run
    from pipeline.served_model import served

    data = workspace / "digits"
    print(f"Writing scikit-learn's handwritten digits to {data}", file=sys.stderr)
    with writing_to(workspace, "Name another workspace with --workspace"):
        write_digits(data)
    config = Config.model_validate(
        {
            "workspace": str(workspace),
            "data": {"path": str(data)},
            "model": {"image_size": 64},
            "serving": {"model_name": "digits"},
            "evaluation": {"min_accuracy": 0.9},
        }
    )
    code = run(config, wait=False, as_json=False)
    if code == 0:
        images = [data / "3" / "0003.png", data / "7" / "0007.png"]
        model = served(config, config_named=True)
        predict(model, images, Servers(), "text")
    return code
