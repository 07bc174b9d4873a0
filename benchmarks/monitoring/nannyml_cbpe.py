"""NannyML's estimate of the accuracy of each shift, with its defaults; runs in its own environment.

    python3.11 -m venv VENV && VENV/bin/pip install nannyml==0.13.1
    VENV/bin/python benchmarks/monitoring/nannyml_cbpe.py benchmarks/out/monitoring/peer

The folder holds what `label_free.py --peer` wrote, and gets an `estimates.json`.
"""

import json
import sys
from pathlib import Path

import nannyml
import numpy as np
import pandas as pd


def main() -> None:
    """Writes the estimates, by data set and shift."""
    folder = Path(sys.argv[1])
    estimates: dict[str, dict[str, float]] = {}
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as arrays:
            kept = dict(arrays)
        classes = [str(place) for place in range(kept["reference"].shape[1])]
        estimator = nannyml.CBPE(
            problem_type="classification_multiclass",
            y_pred_proba={name: f"p{name}" for name in classes},
            y_pred="predicted",
            y_true="truth",
            metrics=["accuracy"],
            chunk_number=1,
        )
        reference = _frame(kept.pop("reference"), classes)
        reference["truth"] = kept.pop("truth").astype(str)
        estimator.fit(reference)
        estimates[path.stem] = {
            shift: float(
                estimator.estimate(_frame(values, classes))
                .filter(period="analysis")
                .to_df()["accuracy"]["value"]
                .iloc[0]
            )
            for shift, values in kept.items()
        }
        print(path.stem, flush=True)
    (folder / "estimates.json").write_text(json.dumps(estimates, indent=1))


def _frame(probabilities: np.ndarray, classes: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame({f"p{name}": probabilities[:, int(name)] for name in classes})
    frame["predicted"] = probabilities.argmax(axis=1).astype(str)
    return frame


if __name__ == "__main__":
    main()
