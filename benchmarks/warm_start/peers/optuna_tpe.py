"""Optuna's TPE sampler, with the best configuration of each source enqueued.

At most half of the trials are enqueued, so that the sampler has its turn.
"""

import optuna
from wire import best_of, serve


class Search:
    """A study."""

    def __init__(self, problem):
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        sampler = optuna.samplers.TPESampler(seed=problem["seed"])
        self._study = optuna.create_study(direction="maximize", sampler=sampler)
        self._space = {each["name"]: _distribution(each) for each in problem["space"]}
        best = []
        for source in problem["sources"]:
            best += [values for values in best_of(source) if values not in best]
        for values in best[: problem["trials"] // 2]:
            self._study.enqueue_trial(values)
        self._trial = None

    def ask(self):
        """Proposes values."""
        self._trial = self._study.ask(self._space)
        return self._trial.params

    def tell(self, score):
        """Takes the score of the last proposal."""
        if score is None:
            self._study.tell(self._trial, state=optuna.trial.TrialState.FAIL)
        else:
            self._study.tell(self._trial, score)


def _distribution(parameter):
    if parameter["kind"] == "choice":
        return optuna.distributions.CategoricalDistribution(parameter["values"])
    return optuna.distributions.FloatDistribution(
        parameter["low"], parameter["high"], log=parameter["scale"] == "log"
    )


if __name__ == "__main__":
    serve(Search)
