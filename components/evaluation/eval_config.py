"""Configuration of the stock TFX Evaluator (TensorFlow Model Analysis).

TFMA evaluates through the model's `evaluate` signature and slices by what is discrete: the class,
the file format, the colour channels, and the columns of `evaluation.slices`. Figures that need the
class list, which is unknown when the pipeline is put together, or bins of a numeric feature are the
Judge's.
"""

import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.proto.config_pb2 import AggregationOptions, PerSliceMetricThreshold

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

_OVERALL = tfma.SlicingSpec()


def eval_config(settings: EvaluationSettings) -> tfma.EvalConfig:
    """Builds the configuration for a model.

    Args:
        settings: what the model must show; whether accuracy is lost against the last blessed model
            is left to the Judge, which sees the answers of both image by image.
    """
    features = [*SLICE_FEATURES, *map(example_schema.slice_feature, settings.slices)]
    model = tfma.ModelSpec(
        signature_name=EVALUATE_SIGNATURE,
        prediction_key=PREDICTION_KEY,
        label_key=LABEL_KEY,
        preprocessing_function_names=[LABELS_SIGNATURE],
    )
    config = tfma.EvalConfig(
        model_specs=[model],
        slicing_specs=[
            _OVERALL,
            *(tfma.SlicingSpec(feature_keys=[name]) for name in features),
        ],
        metrics_specs=[
            _class_metrics(settings),
            _binary_metrics(),
        ],
    )
    # Each interval would evaluate twenty bootstrap samples.
    config.options.compute_confidence_intervals.value = False
    return config


def _class_metrics(settings: EvaluationSettings) -> tfma.MetricsSpec:
    accuracy = tfma.MetricConfig(
        class_name="SparseCategoricalAccuracy",
        config=f'"name": "{ACCURACY}"',
        # A plain threshold would hold for every slice; a class of few images would then decide.
        per_slice_thresholds=[
            PerSliceMetricThreshold(
                slicing_specs=[_OVERALL],
                threshold=_accuracy_threshold(settings),
            )
        ],
    )
    return tfma.MetricsSpec(
        metrics=[
            accuracy,
            tfma.MetricConfig(
                class_name="SparseTopKCategoricalAccuracy",
                config=f'"k": {settings.top_k}, "name": "top_{settings.top_k}_accuracy"',
            ),
            tfma.MetricConfig(
                class_name="SparseCategoricalCrossentropy",
                # -1 stands for a class that the model does not know; it has no likelihood.
                config='"name": "loss", "ignore_class": -1',
            ),
            tfma.MetricConfig(class_name="MultiClassConfusionMatrixPlot"),
            tfma.MetricConfig(class_name="ExampleCount"),
        ]
    )


def _accuracy_threshold(settings: EvaluationSettings) -> tfma.MetricThreshold:
    return tfma.MetricThreshold(
        # TFMA refuses equality, Graft's limits include it.
        value_threshold=tfma.GenericValueThreshold(
            lower_bound={"value": settings.min_accuracy - 1e-6}
        )
    )


def _binary_metrics() -> tfma.MetricsSpec:
    """Each class against the rest, pooled: macro averages need the class list (see the Judge)."""
    return tfma.MetricsSpec(
        metrics=[
            tfma.MetricConfig(class_name="AUC"),
            tfma.MetricConfig(class_name="Precision"),
            tfma.MetricConfig(class_name="Recall"),
            tfma.MetricConfig(class_name="CalibrationPlot", config='"num_buckets": 20'),
        ],
        aggregate=AggregationOptions(micro_average=True),
    )
