"""Quick-Tune's own optimiser, which learns from the past and goes on epoch by epoch; see `buying`.

    python3.11 -m venv VENV && VENV/bin/pip install torch gpytorch ConfigSpace pandas pyyaml tqdm \
        scikit-learn==1.5.0 'numpy<2' && VENV/bin/pip install --no-deps quicktunetool==0.0.4

Its surrogate (a Gaussian process on a network, of configuration, data set and curve so far) is
trained on the past as the tool trains it, but in smaller batches, and not again within a search:
that is its default, and how its published optimiser is used. It is told the seconds of the first
epochs instead of learning them, and divides by them. The rest of the package, which trains images
with torchvision, is left alone.
"""

import importlib.util
import sys
import tempfile
import warnings
from importlib.metadata import version
from types import ModuleType
from typing import Any

import gpytorch
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from benchmarks.search.peers.buying import Buy, Offer, Space, serve


def _leave_images_out() -> None:
    found = importlib.util.find_spec("qtt")
    if found is None or found.submodule_search_locations is None:
        raise ModuleNotFoundError("quicktunetool is not installed")
    package = ModuleType("qtt")
    package.__path__ = list(found.submodule_search_locations)
    sys.modules["qtt"] = package


_leave_images_out()
from qtt.optimizers import QuickOptimizer  # noqa: E402
from qtt.predictors import CostPredictor, PerfPredictor, perf  # noqa: E402

_TRAINING = {"batch_size": 256}
"""Of 2,048 by default: the cost of a batch is that of a matrix as large to invert, and hours on a
CPU."""


class _Samples(perf.CurveRegressionDataset):
    """The same samples of curves, made at once: one by one they take most of the training."""

    def __init__(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
        super().__init__(x, y)
        rows, epochs = np.divmod(self.mapping, self.y_dim)
        so_far = np.where(np.arange(self.y_dim) < epochs[:, None], y[rows], 0)
        self._columns = [torch.tensor(each).float() for each in (x[rows], so_far, y[rows, epochs])]

    def __getitem__(self, index: int) -> tuple[torch.Tensor, ...]:
        return tuple(column[index] for column in self._columns)


def _in_this_process(*arguments: Any, **options: Any) -> DataLoader[Any]:
    return DataLoader(*arguments, **{**options, "num_workers": 0})


perf.CurveRegressionDataset = _Samples
perf.DataLoader = _in_this_process


class _ToldCosts(CostPredictor):
    """The seconds of the first epochs, as they are told."""

    def __init__(self, seconds: list[float], path: str) -> None:
        super().__init__(path=path)
        self._seconds = np.array(seconds)

    def predict(self, **_: Any) -> NDArray[np.float64]:
        return self._seconds.copy()


def quick_tune(offer: Offer, buy: Buy) -> None:
    """Trains its surrogate on the past, and asks it for one epoch after the other."""
    space = Space(offer)
    # Its matrices are small enough to be solved at once, which takes half the time.
    exact = gpytorch.settings.max_cholesky_size(10_000)
    with exact, tempfile.TemporaryDirectory() as folder:
        optimizer = QuickOptimizer(
            None,
            max_fidelity=offer.most,
            perf_predictor=_surrogate(offer, space, folder),
            cost_predictor=_ToldCosts(offer.seconds, folder),
            cost_aware=True,
            seed=offer.seed,
            path=folder,
            verbosity=0,
        )
        optimizer.setup_pandas(pd.DataFrame(space.points), offer.figures)
        while (asked := optimizer.ask()) is not None:
            candidate, epoch = asked["config-id"], int(asked["fidelity"])
            scores = buy(candidate, epoch)
            optimizer.tell({**asked, "score": scores[-1], "status": len(scores) == epoch})


def _surrogate(offer: Offer, space: Space, folder: str) -> PerfPredictor:
    rows: list[dict[str, Any]] = []
    curves: list[list[float]] = []
    for table in offer.past:
        for values, scores, seconds in zip(
            table.configurations, table.scores, table.seconds, strict=True
        ):
            rows.append(space.point(values, seconds[0]) | table.figures)
            curves.append(scores[: offer.most] + [np.nan] * (offer.most - len(scores)))
    surrogate = PerfPredictor(_TRAINING, path=folder, seed=offer.seed, verbosity=0)
    surrogate.fit(pd.DataFrame(rows), np.array(curves))
    return surrogate


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of PyTorch, of each loader of data
    serve({"quick_tune": quick_tune}, f"quicktunetool {version('quicktunetool')}")
