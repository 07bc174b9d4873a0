"""Sites share the histories of their searches, so that each begins where the others ended.

    ./dev python examples/federated/searches.py --sites /tmp/sites/even-0

Each site searches for the hyperparameters of a head on its own images, first from nothing, then
from what `graft knowledge export` and `import` brought it from the two others: trials and their
scores, but no image, no features and no weights.
"""

import argparse
import subprocess
import tempfile
from pathlib import Path

import keras
import keras_tuner
import numpy as np

from graft import PastSearch, WarmStartOracle, load_history

SITES = ("site0", "site1", "site2")
TRIALS = 8
_EPOCHS = 15
_HELD = 0.3


def main() -> None:
    """Searches from nothing, shares, and searches again."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--sites", type=Path, required=True, help="a folder that sites.py wrote")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="searches-") as name:
        folder = Path(name)
        for site in SITES:
            told("from nothing", site, search(site, asked, folder / "cold", []))
            workspace = f"--workspace={folder / site}"
            graft("import", str(folder / "cold" / site), workspace)
            graft("export", str(folder / "shared"), workspace)
        for site in SITES:
            graft("import", str(folder / "shared"), f"--workspace={folder / site}")
            files = sorted((folder / site / "knowledge").glob("*.jsonl"))
            histories = [load_history(file) for file in files]
            others = [
                PastSearch.from_history(each, each.header.name)
                for each in histories
                if each.header.name != site
            ]
            oracle = search(site, asked, folder / "warm", others)
            told("from the others", site, oracle)
            print(f"  {oracle.contribution().words}")


def graft(action: str, *arguments: str) -> None:
    """Runs `graft knowledge`."""
    subprocess.run(["graft", "knowledge", action, *arguments], check=True)


def search(
    site: str, asked: argparse.Namespace, folder: Path, past: list[PastSearch]
) -> WarmStartOracle:
    """Searches on the images of a site; three tenths of them validate."""
    keras.utils.set_random_seed(asked.seed)
    with np.load(asked.sites / f"{site}.npz") as file:
        features, labels, names = file["features"], file["labels"], file["names"]
    held = np.random.default_rng(asked.seed).permutation(len(labels)) < _HELD * len(labels)

    def build(hp: keras_tuner.HyperParameters) -> keras.Model:
        layers = [
            keras.Input(features.shape[1:]),
            keras.layers.Dense(hp.Int("units", 8, 256, sampling="log"), "relu"),
            keras.layers.Dropout(hp.Float("dropout", 0.0, 0.8)),
            keras.layers.Dense(len(names), "softmax"),
        ]
        optimizer = keras.optimizers.Adam(hp.Float("learning_rate", 1e-5, 1e-1, sampling="log"))
        model = keras.Sequential(layers)
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    oracle = WarmStartOracle("val_accuracy", TRIALS, past, seed=asked.seed)
    tuner = keras_tuner.Tuner(oracle, build, directory=folder, project_name=site)
    tuner.search(
        features[~held],
        labels[~held],
        validation_data=(features[held], labels[held]),
        epochs=_EPOCHS,
        batch_size=16,
        verbose=0,
    )
    return oracle


def told(way: str, site: str, oracle: WarmStartOracle) -> None:
    """Prints the best validation accuracy that was known after each trial."""
    scores = [oracle.trials[number].score for number in oracle.end_order]
    best = np.maximum.accumulate(scores)
    print(f"{site} {way}: best after each trial", *(f"{score:.3f}" for score in best), flush=True)


if __name__ == "__main__":
    main()
