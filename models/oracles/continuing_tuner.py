"""A Keras Tuner tuner whose trials go on where an earlier one ended."""

import time
from typing import Any

import keras
import keras_tuner
from keras_tuner.engine.trial import Trial
from keras_tuner.src.engine import tuner_utils

from models.oracles.freeze_thaw_oracle import CONTINUES, EPOCHS, INITIAL_EPOCH, SECONDS


class ContinuingTuner(keras_tuner.Tuner):
    """Makes the trials of a `FreezeThawOracle`, and reports each epoch's score and seconds.

    A trial begins with the weights and the optimizer of the best epoch of the one that it
    continues; that a tuner keeps the best epoch, not the last, is Keras Tuner's way.

        tuner = ContinuingTuner(FreezeThawOracle("val_accuracy", budget=600), build_model)
        tuner.search(x, y, validation_data=(x_val, y_val))
    """

    def run_trial(self, trial: Trial, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Trains the stretch that the trial is; Keras Tuner calls it.

        Returns:
            The best epoch's metrics.
        """
        values = trial.hyperparameters.values
        kwargs |= {"epochs": values[EPOCHS], "initial_epoch": values[INITIAL_EPOCH]}
        histories = super().run_trial(trial, *args, **kwargs)
        return tuner_utils.convert_to_metrics_dict(histories, self.oracle.objective)

    def on_epoch_begin(
        self, trial: Trial, model: keras.Model, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Starts the clock."""
        super().on_epoch_begin(trial, model, epoch, logs)
        self._epoch_began = time.monotonic()

    def on_epoch_end(
        self, trial: Trial, model: keras.Model, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Reports the epoch."""
        super().on_epoch_end(trial, model, epoch, logs)
        name = self.oracle.objective.name
        report = {
            name: self.oracle.objective.get_value(logs or {}),
            SECONDS: time.monotonic() - self._epoch_began,
        }
        # The step 0 is Keras Tuner's, for the best epoch's metrics.
        self.oracle.update_trial(trial.trial_id, report, step=epoch + 1)

    def _build_hypermodel(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        model = super()._build_hypermodel(hp)
        if CONTINUES in hp.values:
            earlier = hp.values[CONTINUES]
            if not model.built:
                model.build_from_config(
                    keras_tuner.src.utils.load_json(self._get_build_config_fname(earlier))
                )
            model.load_weights(self._get_checkpoint_fname(earlier))
        return model
