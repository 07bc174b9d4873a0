"""What methods and regimes are called in tables and plots."""

from typing import Final

from benchmarks.warm_start.methods import AVERAGE_RANK, COLD, KERAS_TUNER_BAYESIAN, WARM

LABELS: Final = {
    WARM: "WarmStartOracle",
    COLD: "WarmStartOracle, cold",
    AVERAGE_RANK: "average rank",
    "kt_random": "Keras Tuner random",
    KERAS_TUNER_BAYESIAN: "Keras Tuner Bayesian",
    "kt_hyperband": "Keras Tuner Hyperband",
    "optuna_tpe": "Optuna TPE, enqueued",
    "syne_tune_bounding_box": "Syne Tune bounding box",
    "syne_tune_quantile": "Syne Tune quantile",
    "openbox_rgpe": "OpenBox RGPE",
    "openbox_topo": "OpenBox TOPO",
    "vizier_priors": "Vizier with priors",
    "normal": "Normal: all sources",
    "one": "One source",
    "three_of_ten": "Three sources of ten trials",
    "inverted": "Inverted scores",
    "permuted": "Permuted scores",
    "mixed": "Half of the sources inverted",
    "mismatched": "Sources of another space",
    "empty": "No source",
}
