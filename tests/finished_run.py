"""A finished run on real digits, for the tests of the report."""

import copy
import io
import json
import shutil
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import finished_further
import numpy as np
import tensorflow as tf
from finished_explanations import write_explanations
from finished_labels import found_labels, sites
from finished_search import SEARCH, STAGES, TASK
from finished_verdict import forgetting, shortcuts
from labelled_examples import record_of
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from tensorflow_metadata.proto.v0 import statistics_pb2

from components.judge.checks import check_accuracy, check_class_recall, check_drop, verdict
from components.judge.gaps import check_gaps, find_gaps
from components.judge.prediction_file import FILE_NAME, Predictions, save_predictions
from components.judge.slices import accuracy_slices
from components.judge.verdict_files import write_metrics, write_verdict
from components.label_check.label_errors_file import write_label_errors
from models import metrics
from models.backbone_choice.backbone_choice import Candidate
from models.data import example_schema
from models.history.contribution import LeftOut
from models.history.records import (
    Curve,
    Evaluation,
)
from models.history.tuning_history import new_history, write_history
from models.search.joint_space import configurations, space_of
from models.search.search_record import Relative, SearchRecord, Step, TriedBackbone, write_record
from models.search.search_task import SearchTask
from models.search.tried import Tried
from models.training.training_settings import TrainingSettings
from pipeline.report.run_record import RunRecord, StageRecord
from pipeline.report.write import write_report

EVIL = '<script>alert("&1")</script>'
CANDIDATES = tuple(
    Candidate(backbone="EfficientNetLite0", weights="imagenet", image_size=size)
    for size in (160, 224)
)
CLASSES = ("eight", "five", "four", "nine", EVIL, "one", "seven", "six", "three", "zero")


class FinishedRun:
    """A run with the artifacts that its components would leave."""

    def __init__(self, folder: Path):
        self.folder = folder
        digits = load_digits()
        order = np.random.default_rng(1).permutation(len(digits.target))[:700]
        self.images, self.target = digits.images[order] / 16, digits.target[order]
        self.names = [f"{CLASSES[t]}/{i} {EVIL}.png" for i, t in enumerate(self.target)]
        self.rows = {"train": range(400), "validation": range(400, 500), "test": range(500, 700)}
        flat = self.images.reshape(-1, 64)
        model = LogisticRegression(C=0.3).fit(flat[:120], self.target[:120])
        self.probabilities = model.predict_proba(flat[500:]).astype(np.float32)
        probe = LogisticRegression(C=0.3).fit(flat[:80], self.target[:80])
        self.probe = probe.predict_proba(flat[500:]).astype(np.float32)
        self.record = RunRecord(
            run_id="20261121-101500-000",
            started=datetime(2026, 11, 21, 10, 15, tzinfo=timezone.utc),
            config={
                "seed": 7,
                "data": {"path": "/data/digits"},
                "training": {"strategy": "auto"},
            },
            status="pushed",
            seconds=75.3,
            pushed_to="/srv/graft/3",
            published_to="s3://bucket/graft/3",
            version=3,
            versions={"graft": "0.1.0", "tensorflow": tf.__version__},
        )
        for name, seconds in STAGES.items():
            self.record.stages.append(StageRecord(name, seconds, cached=seconds < 0.1))
        self.data()
        self.search(flat)
        self.training()
        self.judged()

    def copy(self, folder: Path) -> "FinishedRun":
        """A copy that a test may damage."""
        other = copy.deepcopy(self)
        other.folder = folder
        shutil.copytree(self.folder, folder)
        other.record.artifacts = {key: str(folder / key) for key in self.record.artifacts}
        return other

    def page(self) -> str:
        """The report as HTML."""
        return write_report(self.record, self.folder / "out").read_text()

    def summary(self) -> dict[str, Any]:
        """The content of `summary.json`."""
        write_report(self.record, self.folder / "out")
        return json.loads((self.folder / "out" / "summary.json").read_text())

    def artifact(self, key: str) -> Path:
        path = self.folder / key
        path.mkdir(parents=True, exist_ok=True)
        self.record.artifacts[key] = str(path)
        return path

    def write(self, key: str, file: str, content: object) -> None:
        path = self.artifact(key) / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))

    def data(self) -> None:
        for split, rows in self.rows.items():
            directory = self.artifact("examples") / f"Split-{split}"
            directory.mkdir(exist_ok=True)
            with tf.io.TFRecordWriter(str(directory / "data")) as writer:
                for row in rows:
                    writer.write(self.example(row))
            self.statistics(split, rows)
        counts = np.bincount(self.target, minlength=10).tolist()
        ingest = {
            "images": 700,
            "offered": 706,
            "replayed": 30,
            "quarantined": 3,
            "passed_over": 2,
            "unknown": 1,
            "layout": "Each folder is a class.",
            "classes": dict(zip(CLASSES, counts, strict=True)),
            "splits": {split: len(rows) for split, rows in self.rows.items()},
            "converted": {"alpha": 4, "exif_rotation": 2},
            "split_source": "assigned",
            "fingerprint": "5f0c41d0aa",
        }
        self.write("quarantine", "ingest.json", ingest)
        refused = [
            {"name": f"zero/{EVIL}.jpg", "code": "truncated", "reason": "The file ends early."},
            {"name": "one/line\nbreak.jpg", "code": "not_an_image", "reason": f"{EVIL} is text."},
            {"name": "two/big.png", "code": "too_many_pixels", "reason": "It has 400 megapixels."},
            _beside("one/.notes.txt", "sidecar", "Its name is of no image.", "passed_over"),
            _beside("Thumbs.db", "sidecar", "Its name is of no image.", "passed_over"),
            _beside("rest.tfrecord", "damaged", "Nobody knows what else it holds.", "unknown"),
        ]
        lines = "\n".join(json.dumps(each) for each in refused)
        (self.artifact("quarantine") / "quarantine.jsonl").write_text(lines + "\n")
        finding = {
            "check": "near_duplicate_across_splits",
            "severity": "warning",
            "message": f"4 images of {EVIL} look alike in training and test.",
            "images": self.names[:4],
            "count": 6,
        }
        self.write("findings", "findings.json", [finding])
        self.write("findings", "further_labels.json", finished_further.counted(EVIL))

        labels = [CLASSES[each] for each in self.target]
        write_label_errors(self.artifact("label_errors"), found_labels(self.names, labels, EVIL))

    def example(self, row: int) -> bytes:
        pixels = Image.fromarray(np.round(self.images[row] * 255).astype(np.uint8))
        buffer = io.BytesIO()
        pixels.resize((64, 64)).save(buffer, "PNG")
        values = {
            example_schema.IMAGE: buffer.getvalue(),
            example_schema.LABEL: CLASSES[self.target[row]].encode(),
            example_schema.NAME: self.names[row].encode(),
            example_schema.SHA256: b"00",
        }
        return record_of(values)

    def columns(self, rows: Any) -> dict[str, np.ndarray]:
        images = self.images[rows]
        columns = {name: np.full(len(images), 8) for name in example_schema.DERIVED}
        columns[example_schema.FORMAT] = np.array(["png", "jpeg"] * len(images), dtype=object)[
            : len(images)
        ]
        columns[example_schema.BRIGHTNESS_MEAN] = images.mean(axis=(1, 2))
        columns[example_schema.BRIGHTNESS_STD] = images.std(axis=(1, 2))
        columns[example_schema.SHARPNESS] = np.abs(np.diff(images, axis=1)).mean(axis=(1, 2))
        return columns

    def statistics(self, split: str, rows: Any) -> None:
        message = statistics_pb2.DatasetFeatureStatisticsList()
        dataset = message.datasets.add(num_examples=len(rows))
        label = dataset.features.add()
        label.path.step.append(example_schema.LABEL)
        for index, count in enumerate(np.bincount(self.target[rows], minlength=10)):
            label.string_stats.rank_histogram.buckets.add(
                label=CLASSES[index], sample_count=int(count)
            )
        for name, column in self.columns(rows).items():
            if name != example_schema.FORMAT:
                feature = dataset.features.add()
                feature.path.step.append(name)
                feature.num_stats.min, feature.num_stats.max = column.min(), column.max()
                feature.num_stats.mean, feature.num_stats.median = column.mean(), column.mean()
        directory = self.artifact("statistics") / f"Split-{split}"
        directory.mkdir(exist_ok=True)
        (directory / "FeatureStats.pb").write_bytes(message.SerializeToString())

    def search(self, flat: np.ndarray) -> None:
        task = SearchTask(
            examples_uri=str(self.folder / "examples"),
            labels=CLASSES,
            candidates=CANDIDATES,
            resize="stretch",
            features="all",
            training=TrainingSettings(),
            seed=7,
            embeddings="",
            activations="",
        )
        pool = configurations(task, images=400)
        tried, steps = Tried(), []
        for order, values in enumerate(pool[:12]):
            head = LogisticRegression(C=10.0 ** (order - 8), max_iter=60)
            head.fit(flat[:400], self.target[:400])
            accuracy = float(head.score(flat[400:500], self.target[400:500]))
            curve = Curve(
                train_loss=(0.5,),
                validation_loss=(0.5,),
                validation_accuracy=(accuracy,),
                seconds=(0.4,),
                scores=(accuracy,),
            )
            evaluation = Evaluation(
                seed=0,
                score=accuracy,
                best_epoch=0,
                validation_loss=0.5,
                validation_accuracy=accuracy,
                seconds=0.5,
                curve=curve,
            )
            tried.add(values, evaluation)
            reached = max(each.score or 0.0 for each in tried.records)
            steps.append(Step(seconds=0.5 * (order + 1), score=reached, accuracy=reached))
        best = max(tried.records, key=lambda each: each.score or 0.0)
        history = new_history(space_of(pool), TASK, SEARCH, tried.records, chosen=best.order)
        write_history(self.artifact("history") / "history.jsonl", history)
        record = SearchRecord(
            budget=60.0,
            spent=6.0,
            usual_seconds=90.0,
            training_seconds=40.0,
            told_seconds=70.0,
            before_seconds=10.0,
            chosen=best.values,
            words="The chosen one promises most.",
            past=("hats (starter), 2026-11-28",),
            trusted=True,
            left_out=(LeftOut(name=EVIL, reason="It is no history."),),
            steps=tuple(steps),
            backbones=tuple(
                TriedBackbone(
                    candidate=candidate,
                    configurations=6,
                    accuracy=0.9 + 0.01 * number,
                    seconds=3.0,
                    multiply_adds=2e8 * (number + 1),
                    chosen=number == 1,
                )
                for number, candidate in enumerate(CANDIDATES)
            ),
            gain=0.004,
            related=(Relative(name=EVIL, apart=0.0625),),
        )
        write_record(self.folder / "history", record)

    def training(self) -> None:
        loss = [1.9, 1.2, 0.8, 0.7, 0.62, 0.5, 0.44, 0.41]
        self.write(
            "model",
            "training.json",
            {
                "strategy": "fine_tune",
                "reason": "auto: 400 training images are at least 300",
                "exported": "fine_tuned",
                "exported_reason": "fine-tuning gained 0.02 on validation",
                "phases": [
                    {"name": "head", "first_epoch": 0, "epochs": 4, "best_epoch": 3, "seconds": 2},
                    {
                        "name": "fine_tune",
                        "first_epoch": 4,
                        "epochs": 4,
                        "best_epoch": 6,
                        "seconds": 31.5,
                    },
                ],
                "history": {
                    "loss": loss,
                    "val_loss": [value * 0.95 + 0.06 for value in loss],
                    "val_accuracy": [0.5, 0.72, 0.81, 0.85, 0.87, 0.9, 0.93, None],
                },
                "validation_accuracy": 0.93,
                "head_validation_accuracy": 0.85,
                "seconds": 33.5,
                "class_weights": {"zero": 0.9, EVIL: 1.2},
                "notes": ["no mirrored views: classes look alike when mirrored"],
                "resumed_from_epoch": 2,
                "further_labels": finished_further.learned(),
                "strategies": [
                    {
                        "name": "few-shot head",
                        "kept": False,
                        "reason": "6 labelled images in the middle class are at most 20",
                        "words": "cosine: promises less than without it",
                    }
                ],
                "calibration": {
                    "temperature": 1.25,
                    "loss_before": 0.412,
                    "loss_after": 0.398,
                    "error_before": 0.056,
                    "error_after": 0.031,
                },
                "blocks": [
                    {"name": EVIL, "features": 24, "worth": -0.001},
                    {"name": "last output", "features": 1280, "worth": 0.123},
                ],
                "seed": 7,
            },
        )
        embeddings = {"images": 700, "computed": 600, "reused": 75, "identical": 25}
        self.write("embeddings", "meta.json", embeddings)
        lineage = {"labels": CLASSES, "backbone": "EfficientNetLite0", "weights_digest": "ab12"}
        self.write("model", "Format-Serving/assets.extra/graft.json", lineage)

    def judged(self) -> None:
        rows = list(self.rows["test"])
        predictions = Predictions(
            [self.names[row] for row in rows],
            [CLASSES[self.target[row]] for row in rows],
            CLASSES,
            self.probabilities,
        )
        quality = metrics.quality(predictions.truth, predictions.probabilities, CLASSES, 3)
        probe_right = metrics.is_right(predictions.truth, self.probe)
        columns = self.columns(rows) | {
            example_schema.slice_feature("site"): sites(predictions, EVIL)
        }
        gaps = find_gaps(columns, predictions.truth, predictions.right)
        column, checks = finished_further.judged(EVIL)
        result = verdict(
            (
                check_accuracy(quality, 0.5),
                check_class_recall(quality, 0.0),
                check_gaps(gaps, 0.3),
                check_drop(
                    "max_drop_below_probe",
                    "the head on the frozen backbone",
                    probe_right,
                    predictions.right,
                    0.02,
                ),
                *checks,
            )
        )
        directory = self.artifact("blessing")
        self.record.reason = result.reason
        save_predictions(directory / FILE_NAME, predictions)
        write_explanations(directory, predictions, self.images[self.rows["test"][0]])
        slices = accuracy_slices(columns, predictions.right)
        write_metrics(
            directory,
            predictions,
            quality,
            slices,
            gaps,
            shortcuts(EVIL),
            forgetting(EVIL),
            float(probe_right.mean()),
            [column],
        )
        write_verdict(directory, result)
        answer = {
            "passed": True,
            "reason": "",
            "max_abs_difference": 2.1e-7,
            "milliseconds": 14.2,
            "url": "http://127.0.0.1:1",
        }
        check = {"passed": True, "reason": "fine", "images": [], "rest": answer, "grpc": answer}
        self.write("serving_check", "serving_check.json", check)


def _beside(name: str, code: str, reason: str, fate: str) -> dict[str, str]:
    return {"name": name, "code": code, "reason": reason, "fate": fate}
