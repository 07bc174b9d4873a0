"""OpenBox's transfer learning: RGPE (Feurer et al., 2018) and TOPO, with its own warm start.

Without sources it is OpenBox's Bayesian optimisation. It trains a Gaussian process for each source
at the start and asks all of them about every candidate, seconds a trial with five sources, so at
most five are given, drawn at random.
"""

import random

import numpy as np
from openbox import Advisor, History, Observation, logger, space as openbox_space
from openbox.utils.constants import FAILED
from wire import serve

_SOURCES = 5


class Search:
    """An advisor. It minimises, so scores change their sign."""

    def __init__(self, problem):
        logger.init(level="WARNING", logdir=None)
        self._space = openbox_space.Space()
        self._choices = {}
        self._space.add_variables([self._variable(each) for each in problem["space"]])
        known = problem["sources"]
        drawn = random.Random(problem["seed"]).sample(known, min(_SOURCES, len(known)))
        sources = [self._history(each) for each in drawn]
        self._advisor = Advisor(
            self._space,
            transfer_learning_history=sources or None,
            surrogate_type=problem["method"] if sources else "gp",
            random_state=problem["seed"],
            output_dir=None,
        )
        self._suggested = None

    def ask(self):
        """Proposes values."""
        self._suggested = self._advisor.get_suggestion()
        values = {}
        for name, value in self._suggested.get_dictionary().items():
            if name in self._choices:
                values[name] = self._choices[name][value]
            else:
                values[name] = float(value)
        return values

    def tell(self, score):
        """Takes the score of the last proposal."""
        if score is None:
            observation = Observation(self._suggested, [np.inf], trial_state=FAILED)
        else:
            observation = Observation(self._suggested, [-score])
        self._advisor.update_observation(observation)

    def _variable(self, parameter):
        name = parameter["name"]
        if parameter["kind"] == "choice":
            # Its categories are text.
            self._choices[name] = {str(value): value for value in parameter["values"]}
            return openbox_space.Categorical(name, list(self._choices[name]))
        log = parameter["scale"] == "log"
        default = np.sqrt(parameter["low"] * parameter["high"]) if log else None
        return openbox_space.Real(
            name, parameter["low"], parameter["high"], default_value=default, log=log
        )

    def _history(self, source):
        history = History(task_id=source["name"], config_space=self._space)
        for values, score in zip(source["values"], source["scores"], strict=True):
            known = {
                name: str(value) if name in self._choices else value
                for name, value in values.items()
            }
            configuration = openbox_space.Configuration(self._space, values=known)
            history.update_observation(Observation(configuration, [-score]))
        return history


if __name__ == "__main__":
    serve(Search)
