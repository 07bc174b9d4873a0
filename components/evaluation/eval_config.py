"""Configuration of the stock TFX Evaluator (TensorFlow Model Analysis).

TFMA evaluates through the model's `evaluate` signature and slices by what is discrete: the class,
the file format, the colour channels, and the columns of `evaluation.slices`. Figures that need the
class list, which is unknown when the pipeline is put together, or bins of a numeric feature are the
Judge's.

TFMA has names of its own for these types only where TFX was imported before, which Beam's workers
do not do.
"""

from tensorflow_model_analysis.proto import config_pb2

from components.evaluation.evaluation_settings import EvaluationSettings
from models.data import example_schema

EVALUATE_SIGNATURE = "evaluate"
"""Signature that takes serialized tf.Examples, string [n]."""
LABELS_SIGNATURE = "transform_labels"
"""Signature that takes serialized tf.Examples and gives LABEL_KEY."""
LABEL_KEY = "label_id"
"""int64 [n]: index of the class."""
PREDICTION_KEY = "probabilities"
"""float32 [n, k]."""
ACCURACY = "accuracy"
"""Name of the metric that carries the thresholds."""
SLICE_FEATURES = (example_schema.LABEL, example_schema.FORMAT, example_schema.CHANNELS)
"""Features with few distinct values, over each of which TFMA slices."""

_OVERALL = config_pb2.SlicingSpec()


def eval_config(settings: EvaluationSettings) -> config_pb2.EvalConfig:
    """Builds the configuration for a model.

    Args:
        settings: what the model must show; whether accuracy is lost against the last blessed model
            is left to the Judge, which sees the answers of both image by image.
    """
    features = [*SLICE_FEATURES, *map(example_schema.slice_feature, settings.slices)]
    model = config_pb2.ModelSpec(
        signature_name=EVALUATE_SIGNATURE,
        prediction_key=PREDICTION_KEY,
        label_key=LABEL_KEY,
        preprocessing_function_names=[LABELS_SIGNATURE],
    )
    config = config_pb2.EvalConfig(
        model_specs=[model],
        slicing_specs=[
            _OVERALL,
            *(config_pb2.SlicingSpec(feature_keys=[name]) for name in features),
        ],
        metrics_specs=[
            _class_metrics(settings),
            _binary_metrics(),
        ],
    )
    # Each interval would evaluate twenty bootstrap samples.
    config.options.compute_confidence_intervals.value = False
    return config


def _class_metrics(settings: EvaluationSettings) -> config_pb2.MetricsSpec:
    accuracy = config_pb2.MetricConfig(
        class_name="SparseCategoricalAccuracy",
        config=f'"name": "{ACCURACY}"',
        # A plain threshold would hold for every slice; a class of few images would then decide.
        per_slice_thresholds=[
            config_pb2.PerSliceMetricThreshold(
                slicing_specs=[_OVERALL],
                threshold=_accuracy_threshold(settings),
            )
        ],
    )
    return config_pb2.MetricsSpec(
        metrics=[
            accuracy,
            config_pb2.MetricConfig(
                class_name="SparseTopKCategoricalAccuracy",
                config=f'"k": {settings.top_k}, "name": "top_{settings.top_k}_accuracy"',
            ),
            config_pb2.MetricConfig(
                class_name="SparseCategoricalCrossentropy",
                # -1 stands for a class that the model does not know; it has no likelihood.
                config='"name": "loss", "ignore_class": -1',
            ),
            config_pb2.MetricConfig(class_name="MultiClassConfusionMatrixPlot"),
            config_pb2.MetricConfig(class_name="ExampleCount"),
        ]
    )


def _accuracy_threshold(settings: EvaluationSettings) -> config_pb2.MetricThreshold:
    return config_pb2.MetricThreshold(
        # TFMA refuses equality, Graft's limits include it.
        value_threshold=config_pb2.GenericValueThreshold(
            lower_bound={"value": settings.min_accuracy - 1e-6}
        )
    )


def _binary_metrics() -> config_pb2.MetricsSpec:
    """Each class against the rest, pooled: macro averages need the class list (see the Judge)."""
    return config_pb2.MetricsSpec(
        metrics=[
            config_pb2.MetricConfig(class_name="AUC"),
            config_pb2.MetricConfig(class_name="Precision"),
            config_pb2.MetricConfig(class_name="Recall"),
            config_pb2.MetricConfig(class_name="CalibrationPlot", config='"num_buckets": 20'),
        ],
        aggregate=config_pb2.AggregationOptions(micro_average=True),
    )
