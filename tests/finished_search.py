"""The search of a run that has ended, as its history describes it, and how long its stages took."""

from models.history.records import EmbeddingStatistics, SearchDescription, TaskDescription
from models.search.joint_search import METRIC

STAGES = {
    "ImageExampleGen": 2.4,
    "StatisticsGen": 3.1,
    "ImageValidator": 0.05,
    "Tuner": 14.0,
    "Trainer": 33.9,
    "Evaluator": 9.7,
    "Judge": 3.2,
    "ServingCheck": 4.4,
    "Pusher": 0.3,
}
SEARCH = SearchDescription(
    algorithm="warm",
    seed=7,
    epochs=30,
    patience=3,
    class_weights="none",
    metric=METRIC,
    subject="joint",
)
TASK = TaskDescription(
    images=400,
    validation_images=100,
    classes=10,
    balance=1.0,
    image_size=160,
    backbone="EfficientNetLite0",
    weights="imagenet",
    weights_digest="ab12",
    dimension=64,
    embedding=EmbeddingStatistics(
        total_variance=1.0, effective_dimension=9.0, class_separation=0.4, centroid_accuracy=0.8
    ),
    data_fingerprint="5f0c41d0aa",
)
