"""What each stage of the pipeline is called for people."""

from typing import Final

TITLES: Final = {
    "ImageExampleGen": "Ingest images",
    "StatisticsGen": "Compute statistics",
    "SchemaCurator": "Check the schema",
    "ImageValidator": "Validate images",
    "Transform": "Learn the labels",
    "LabelCheck": "Look for wrong labels",
    "Tuner": "Search",
    "FeatureExtractor": "Embed images",
    "UnlabelledImages": "Read images without labels",
    "TargetImages": "Read images of the target",
    "Trainer": "Train the model",
    "Evaluator": "Evaluate",
    "Judge": "Judge",
    "ServingCheck": "Prove that it serves",
    "ReferenceMaker": "Note how it answers",
    "Pusher": "Push",
    "Publisher": "Publish",
}
"""Node to title; nodes that do no work of note (resolver, gate) are not shown."""
