"""Searches on smooth pictures of the tasks: seconds, not hours, and no luck of single trainings.

    ./dev bench warm_start/simulate --tasks DIR [DIR …] --seeds 8 --methods warm cold average_rank

Takes the options of `run`, whose cache must hold evaluations. Of each task one Gaussian process is
fitted to all validation scores and another to all test scores. A simulated trial costs nothing: its
score is the first one's mean with the noise that it found; its regret, against the best and the
median of the second one's mean, has none. What tells two versions of a method apart here may take
ten times the seeds in live searches, which alone make the figures of `RESULTS.md`.

First comes the floor: the regret of what a search without any noise would hand over, the
configuration with the best mean on the validation images. Whoever chooses by these images comes
down to it at best.
"""

import sys
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from benchmarks.warm_start.evaluate import evaluations_file, read_outcomes
from benchmarks.warm_start.labels import LABELS
from benchmarks.warm_start.methods import IGNORE_THE_PAST, METHODS
from benchmarks.warm_start.methods.interface import Problem
from benchmarks.warm_start.problem import EPOCHS, SPACE
from benchmarks.warm_start.regimes import apply_regime
from benchmarks.warm_start.run import build_parser, prepare
from benchmarks.warm_start.schedule import Bench, source_of
from benchmarks.warm_start.tasks import TaskFile
from models.errors import GraftError
from models.history.past_search import PastSearch
from models.history.records import TaskDescription
from models.history.search_space import Values
from models.oracles.warm.encoding import SpaceEncoder

Floats = NDArray[np.float64]

_MOST_FITTED = 450
_DRAWN = 2000
_DEEPEST = 4.0
"""Scores so many gaps (median to best) below the median count as that, or they shape everything."""
_SHOWN = (1, 2, 3, 5, 10, 15, 25)
_SIMULATED = ("warm", "cold", "average_rank", "kt_random", "kt_bayesian")


@dataclass(frozen=True)
class Picture:
    """Two surfaces over the space.

    Attributes:
        name: of the task.
        task: its description.
        sources: histories of the tasks of other groups.
        validation: of the validation score.
        test: of the test score.
        noise: standard deviation of a validation score around its surface.
        best: greatest known mean of the test score.
        median: of the test score's mean over the space.
        floor: regret where the validation surface is highest.
    """

    name: str
    task: TaskDescription
    sources: tuple[PastSearch, ...]
    validation: GaussianProcessRegressor
    test: GaussianProcessRegressor
    noise: float
    best: float
    median: float
    floor: float

    def score(self, features: Floats, generator: np.random.Generator) -> float:
        """What one training would show on the validation images."""
        return float(self.validation.predict(features)[0] + generator.normal(0.0, self.noise))

    def regret(self, features: Floats) -> Floats:
        """0 at the best known configuration, 1 at the median one, float64 [n]."""
        return np.asarray((self.best - self.test.predict(features)) / (self.best - self.median))


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulates and prints; returns the exit code."""
    parser = build_parser()
    parser.set_defaults(methods=["warm", "cold", "average_rank", "kt_random"], seeds=8)
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.methods) - set(_SIMULATED)):
        print(f"{', '.join(unknown)} cannot be simulated; {', '.join(_SIMULATED)} can",
              file=sys.stderr)  # fmt: skip
        return 2
    try:
        bench, files, targets = prepare(options)
    except GraftError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    pictures = [_paint(bench, files, file) for file in targets]
    for picture in pictures:
        noise = picture.noise / (picture.best - picture.median)
        print(f"{picture.name}: floor {picture.floor:.2f}, noise of a score {noise:.2f}")
    print(f"mean floor: {np.mean([picture.floor for picture in pictures]):.3f}\n", flush=True)
    print("method, past: area, then regret after", *_SHOWN, "trials")
    for method in options.methods:
        for regime in ("empty",) if method in IGNORE_THE_PAST else options.regimes:
            curves = [
                _search(picture, method, regime, seed, options.trials)
                for picture in pictures
                for seed in range(options.seeds)
            ]
            _print(f"{LABELS[method]}, {LABELS[regime].lower()}", np.mean(curves, axis=0))
    return 0


def _paint(bench: Bench, files: Sequence[TaskFile], file: TaskFile) -> Picture:
    task = file.read()
    outcomes = [
        each
        for each in read_outcomes(evaluations_file(bench.cache, task))
        if each.limit == EPOCHS and each.score is not None and each.test_score is not None
    ]
    generator = np.random.default_rng(0)
    rows = generator.permutation(len(outcomes))[:_MOST_FITTED]
    features = np.concatenate([_features(outcomes[row].values) for row in rows])
    validation, noise = _fit(features, [outcomes[row].score for row in rows])
    test, _ = _fit(features, [outcomes[row].test_score for row in rows])
    encoder = SpaceEncoder(SPACE.to_hyperparameters())
    drawn = encoder.features(encoder.snap(generator.random((_DRAWN, len(encoder.parameters)))))
    everywhere = np.concatenate([features, drawn])
    truth = test.predict(everywhere)
    best, median = float(truth.max()), float(np.median(test.predict(drawn)))
    chosen = truth[validation.predict(everywhere).argmax()]
    return Picture(
        name=file.name,
        task=task.description,
        sources=tuple(source_of(bench, each) for each in files if each.group != file.group),
        validation=validation,
        test=test,
        noise=noise,
        best=best,
        median=median,
        floor=float((best - chosen) / (best - median)),
    )


def _fit(
    features: Floats, scores: Sequence[float | None]
) -> tuple[GaussianProcessRegressor, float]:
    """A surface and the standard deviation of scores around it."""
    values = np.array(scores, np.float64)
    ordered = np.sort(values)
    top, middle = float(ordered[-10:].mean()), float(np.median(values))
    values = np.maximum(values, middle - _DEEPEST * (top - middle))
    kernel = ConstantKernel(1.0) * Matern(
        np.full(features.shape[1], 0.5), (0.05, 20.0), nu=2.5
    ) + WhiteKernel(0.1, (1e-4, 2.0))
    surface = GaussianProcessRegressor(kernel, normalize_y=True, random_state=0)
    with warnings.catch_warnings():
        # A length scale at its bound belongs to a parameter that does not matter.
        warnings.simplefilter("ignore", ConvergenceWarning)
        surface.fit(features, values)
    return surface, float(np.sqrt(surface.kernel_.k2.noise_level) * values.std())


def _search(picture: Picture, name: str, regime: str, seed: int, trials: int) -> Floats:
    """Regret of what a method would hand over after 1, 2, … trials, float64 [trials]."""
    generator = np.random.default_rng([seed, 1])
    with tempfile.TemporaryDirectory() as scratch:
        problem = Problem(
            space=SPACE,
            sources=apply_regime(regime, picture.sources, seed),
            task=picture.task,
            trials=trials,
            epochs=EPOCHS,
            seed=seed,
            scratch=Path(scratch),
        )
        method = METHODS[name](problem)
        regrets, handed_over = [], []
        for _ in range(trials):
            proposal = method.ask()
            if proposal is None:
                break
            features = _features(proposal.values)
            method.tell(picture.score(features, generator))
            regrets.append(float(picture.regret(features)[0]))
            handed_over.append(regrets[method.choose()])
        method.close()
    return np.array(handed_over + handed_over[-1:] * (trials - len(handed_over)))


def _features(values: Values) -> Floats:
    encoder = SpaceEncoder(SPACE.to_hyperparameters())
    return encoder.features(encoder.encode(values)[None])


def _print(title: str, curve: Floats) -> None:
    shown = " ".join(f"{curve[trial - 1]:.2f}" for trial in _SHOWN if trial <= len(curve))
    print(f"{title}: {curve.mean():.3f}, {shown}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
