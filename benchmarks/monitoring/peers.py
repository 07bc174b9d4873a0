"""Tests of windows of 50 images against the reference, as they are usually run.

- `KS per component`: Kolmogorov and Smirnov's test on each of 16 components, Bonferroni (what
  Evidently and Alibi-Detect do to columns).
- `BBSD`: the same on the most likely class and its probability
  (S. Rabanser, S. Günnemann, Z. Lipton, "Failing loudly", 2019).
- `MMD`: permutation test with a Gaussian kernel of the median distance.
- `classifier AUC`: an alarm where a classifier of two samples is better than 0.55 (Evidently's
  default for embeddings).
- `L-infinity`: an alarm where a class's share differs by more than 0.1 (TFDV's usual threshold).

And two that no stream allows, to show what there is to be found: they are told where the shift
begins, and look once at all images before and after it, at 1 %.

- `told, shares`: a chi-squared test of the shares of the classes that were given.
- `told, means`: Hotelling's test of the means of all components.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from drift_streams import Stream
from numpy.typing import NDArray
from scipy.stats import chi2_contingency, f as f_distribution, gamma, ks_2samp
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

WINDOW = 50
_COMPONENTS = 16
_PERMUTATIONS = 99


def _ks(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Bonferroni-corrected p-value over the columns of two tables."""
    least = min(ks_2samp(a, b, method="asymp").pvalue for a, b in zip(one.T, other.T, strict=True))
    return min(float(least) * one.shape[1], 1.0)


def _components(stream: Stream, rows: slice) -> float:
    now = stream.observations.projections[rows, :_COMPONENTS].astype(float)
    return _ks(stream.reference.projections[:, :_COMPONENTS].astype(float), now)


def _softmax(stream: Stream, rows: slice) -> float:
    served = stream.reference.probabilities.astype(float)
    before = np.stack([served.max(axis=1), served.argmax(axis=1)], axis=1)
    seen = stream.observations[rows]
    # As coarse as the reference's, or the rounding is what is found.
    surest = seen.top_probabilities[:, 0].astype(np.float16)
    return _ks(before, np.stack([surest.astype(float), seen.class_ids], axis=1))


def _mmd(stream: Stream, rows: slice) -> float:
    now = stream.observations.projections[rows, :_COMPONENTS].astype(float)
    both = np.concatenate([stream.reference.projections[:, :_COMPONENTS].astype(float), now])
    squares = ((both[:, None] - both[None]) ** 2).sum(axis=2)
    kernel = np.exp(-squares / np.median(squares))
    random = np.random.default_rng(rows.start)
    orders = [np.arange(len(both))[::-1]]
    orders += [random.permutation(len(both)) for _ in range(_PERMUTATIONS)]
    which = np.zeros((len(orders), len(both)))
    for number, order in enumerate(orders):
        which[number, order[: len(now)]] = 1.0
    # Sums within the window, and between it and the rest, for all orders at once.
    within = ((which @ kernel) * which).sum(axis=1)
    of_window = which @ kernel.sum(axis=1)
    rest = kernel.sum() - 2 * of_window + within
    n, m = len(now), len(both) - len(now)
    values = within / n**2 + rest / m**2 - 2 * (of_window - within) / (n * m)
    # Permutations alone cannot tell small chances apart; a gamma distribution fitted to them can
    # (A. Gretton et al., "A kernel two-sample test", 2012).
    others = values[1:]
    shift = others.min()
    mean, variance = (others - shift).mean(), others.var()
    return float(gamma.sf(values[0] - shift, mean**2 / variance, scale=variance / mean))


def _auc(stream: Stream, rows: slice) -> float:
    """One less the AUC, so that small means different."""
    now = stream.observations.projections[rows].astype(float)
    both = np.concatenate([stream.reference.projections.astype(float), now])
    late = np.arange(len(both)) >= len(stream.reference.labels)
    model = LogisticRegression(max_iter=50, class_weight="balanced", C=0.1)
    scores = cross_val_predict(model, both, late, cv=2, method="decision_function")
    return 1.0 - float(roc_auc_score(late, scores))


def _distance(stream: Stream, rows: slice) -> float:
    """One less the largest difference of a class's share."""
    classes = len(stream.reference.classes)
    before = np.bincount(stream.reference.probabilities.argmax(axis=1), minlength=classes)
    now = np.bincount(stream.observations.class_ids[rows], minlength=classes)
    return 1.0 - float(np.abs(before / before.sum() - now / now.sum()).max())


_STATISTICS: dict[str, tuple[Callable[[Stream, slice], float], float]] = {
    "KS per component": (_components, 0.05),
    "BBSD": (_softmax, 0.05),
    "MMD": (_mmd, 0.05),
    "classifier AUC": (_auc, 1 - 0.55),
    "L-infinity": (_distance, 1 - 0.1),
}
"""What is compared with a threshold, small for different; and the usual threshold."""


def _windows(stream: Stream) -> list[slice]:
    """Windows that begin exactly at the change, which favours these tests."""
    first = stream.change % WINDOW if stream.change < len(stream.observations) else 0
    return [
        slice(at, at + WINDOW) for at in range(first, len(stream.observations) - WINDOW + 1, WINDOW)
    ]


def _first_alarm(name: str, limit: float, stream: Stream) -> int | None:
    """Images up to the end of the first window with an alarm, from the shift on."""
    for rows in _windows(stream):
        if _STATISTICS[name][0](stream, rows) < limit:
            return rows.stop - stream.change
    return None


USUAL = {name: partial(_first_alarm, name, limit) for name, (_, limit) in _STATISTICS.items()}
"""Each window at 5 %, or at the threshold that is usual."""
RARE = {
    f"{name}, rare": partial(_first_alarm, name, 0.01 / 40)
    for name in ("KS per component", "BBSD", "MMD")
}
"""At 1 % for all 40 windows of a stream of 2,000 images together."""


def _shares(stream: Stream) -> float:
    at, classes = stream.change, len(stream.reference.classes)
    given = stream.observations.class_ids
    before = np.concatenate([stream.reference.probabilities.argmax(axis=1), given[:at]])
    table = np.stack([np.bincount(each, minlength=classes) for each in (before, given[at:])])
    return float(chi2_contingency(table[:, table.sum(axis=0) > 0]).pvalue)


def _means(stream: Stream) -> float:
    at, given = stream.change, stream.observations.projections.astype(float)
    before = np.concatenate([stream.reference.projections.astype(float), given[:at]])
    one, other = len(before), len(given) - at
    size, width = one + other - 2, given.shape[1]
    spread = (one - 1) * np.cov(before.T) + (other - 1) * np.cov(given[at:].T)
    gap = before.mean(axis=0) - given[at:].mean(axis=0)
    distance = one * other / (one + other) * size * gap @ np.linalg.solve(spread, gap)
    ratio = distance * (size - width + 1) / (size * width)
    return float(f_distribution.sf(ratio, width, size - width + 1))


def _one_look(test: Callable[[Stream], float], stream: Stream) -> int | None:
    return len(stream.observations) - stream.change if test(stream) < 0.01 else None


TOLD = {"told, shares": partial(_one_look, _shares), "told, means": partial(_one_look, _means)}
"""Where a shift is known to begin."""
