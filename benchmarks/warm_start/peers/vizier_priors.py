"""Vizier's Gaussian process bandit with priors.

They are a stack of processes, each on the residuals of the last (Golovin et al., 2017). The stack
is trained anew for every search and each source adds a layer, so at most five sources are given,
drawn at random.
"""

import random

import jax
from vizier import algorithms, pyvizier
from vizier._src.algorithms.designers import gp_bandit
from wire import serve

_METRIC = "score"
_SOURCES = 5


class Search:
    """A designer."""

    def __init__(self, problem):
        statement = pyvizier.ProblemStatement()
        statement.metric_information.append(
            pyvizier.MetricInformation(_METRIC, goal=pyvizier.ObjectiveMetricGoal.MAXIMIZE)
        )
        self._choices = {}
        for parameter in problem["space"]:
            self._add(statement.search_space.root, parameter)
        self._designer = gp_bandit.VizierGPBandit(
            statement, rng=jax.random.PRNGKey(problem["seed"])
        )
        sources = problem["sources"]
        chosen = random.Random(problem["seed"]).sample(sources, min(_SOURCES, len(sources)))
        if chosen:
            self._designer.set_priors([self._completed(each) for each in chosen])
        self._trial = None
        self._count = 0

    def ask(self):
        """Proposes values."""
        self._count += 1
        self._trial = self._designer.suggest(1)[0].to_trial(self._count)
        values = {}
        for name, value in self._trial.parameters.as_dict().items():
            values[name] = self._choices[name][value] if name in self._choices else value
        return values

    def tell(self, score):
        """Takes the score of the last proposal."""
        if score is None:
            self._trial.complete(pyvizier.Measurement(), infeasibility_reason="diverged")
        else:
            self._trial.complete(pyvizier.Measurement(metrics={_METRIC: score}))
        self._designer.update(
            algorithms.CompletedTrials([self._trial]), algorithms.ActiveTrials([])
        )

    def _add(self, root, parameter):
        name = parameter["name"]
        if parameter["kind"] == "choice":
            self._choices[name] = {str(value): value for value in parameter["values"]}
            root.add_categorical_param(name, list(self._choices[name]))
            return
        scale = pyvizier.ScaleType.LOG if parameter["scale"] == "log" else None
        root.add_float_param(name, parameter["low"], parameter["high"], scale_type=scale)

    def _completed(self, source):
        trials = []
        for values, score in zip(source["values"], source["scores"], strict=True):
            known = {
                name: str(value) if name in self._choices else value
                for name, value in values.items()
            }
            trial = pyvizier.Trial(parameters=known)
            trial.complete(pyvizier.Measurement(metrics={_METRIC: score}))
            trials.append(trial)
        return algorithms.CompletedTrials(trials)


if __name__ == "__main__":
    serve(Search)
