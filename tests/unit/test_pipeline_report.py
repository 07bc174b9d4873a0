import copy
import html
import io
import json
import re
import shutil
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from tensorflow_metadata.proto.v0 import statistics_pb2

from components.judge.checks import check_accuracy, check_class_recall, check_drop, verdict
from components.judge.prediction_file import FILE_NAME, Predictions, save_predictions
from components.judge.slices import accuracy_slices
from components.judge.verdict_files import write_metrics, write_verdict
from models import features, metrics
from models.tuning.history import new_history, write_history
from models.tuning.records import (
    Curve,
    EmbeddingStatistics,
    Evaluation,
    SearchDescription,
    TaskDescription,
    TrialRecord,
)
from models.tuning.space import Choice, FloatRange, SearchSpace
from pipeline.report.charts import Axis, Series, line_chart, nice_ticks
from pipeline.report.record import RunRecord, StageRecord
from pipeline.report.run_view import duration
from pipeline.report.write import write_report

EVIL = '<script>alert("&1")</script>'
CLASSES = ("eight", "five", "four", "nine", EVIL, "one", "seven", "six", "three", "zero")


class Run:
    """A finished run on real digits, with the artifacts that its components would leave."""

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
            config={"seed": 7, "data": {"path": "/data/digits"}},
            status="pushed",
            seconds=75.3,
            pushed_to="/srv/graft/3",
            version=3,
            versions={"graft": "0.1.0", "tensorflow": tf.__version__},
        )
        for name, seconds in STAGES.items():
            self.record.stages.append(StageRecord(name, seconds, cached=seconds < 0.1))
        self.data()
        self.search(flat)
        self.training()
        self.judged()

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
            "quarantined": 3,
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

    def example(self, row: int) -> bytes:
        pixels = Image.fromarray(np.round(self.images[row] * 255).astype(np.uint8))
        buffer = io.BytesIO()
        pixels.resize((64, 64)).save(buffer, "PNG")
        texts = {
            features.IMAGE: buffer.getvalue(),
            features.LABEL: CLASSES[self.target[row]].encode(),
            features.NAME: self.names[row].encode(),
            features.SHA256: b"00",
        }
        feature = {
            key: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
            for key, value in texts.items()
        }
        return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()

    def columns(self, rows) -> dict[str, np.ndarray]:
        images = self.images[rows]
        columns = {name: np.full(len(images), 8) for name in features.DERIVED}
        columns[features.FORMAT] = np.array(["png", "jpeg"] * len(images), dtype=object)[
            : len(images)
        ]
        columns[features.BRIGHTNESS_MEAN] = images.mean(axis=(1, 2))
        columns[features.BRIGHTNESS_STD] = images.std(axis=(1, 2))
        columns[features.SHARPNESS] = np.abs(np.diff(images, axis=1)).mean(axis=(1, 2))
        return columns

    def statistics(self, split: str, rows) -> None:
        message = statistics_pb2.DatasetFeatureStatisticsList()
        dataset = message.datasets.add(num_examples=len(rows))
        label = dataset.features.add()
        label.path.step.append(features.LABEL)
        for index, count in enumerate(np.bincount(self.target[rows], minlength=10)):
            label.string_stats.rank_histogram.buckets.add(
                label=CLASSES[index], sample_count=int(count)
            )
        for name, column in self.columns(rows).items():
            if name != features.FORMAT:
                feature = dataset.features.add()
                feature.path.step.append(name)
                feature.num_stats.min, feature.num_stats.max = column.min(), column.max()
                feature.num_stats.mean, feature.num_stats.median = column.mean(), column.mean()
        directory = self.artifact("statistics") / f"Split-{split}"
        directory.mkdir(exist_ok=True)
        (directory / "FeatureStats.pb").write_bytes(message.SerializeToString())

    def search(self, flat: np.ndarray) -> None:
        random = np.random.default_rng(0)
        trials = []
        for order in range(12):
            rate = float(10 ** random.uniform(-4, 0))
            head = LogisticRegression(C=rate, max_iter=60).fit(flat[:400], self.target[:400])
            accuracy = float(head.score(flat[400:500], self.target[400:500]))
            curve = Curve(
                train_loss=(0.5,), validation_loss=(0.5,), validation_accuracy=(accuracy,)
            )
            evaluation = Evaluation(
                seed=0,
                score=accuracy,
                best_epoch=0,
                validation_loss=0.5,
                validation_accuracy=accuracy,
                seconds=0.4,
                curve=curve,
            )
            values = {"learning_rate": rate, "hidden_units": int(random.choice([0, 128]))}
            trials.append(
                TrialRecord(
                    order=order,
                    status="completed",
                    values=values,
                    score=accuracy,
                    evaluations=(evaluation,),
                    seconds=0.5,
                )
            )
        space = SearchSpace(
            parameters=(
                FloatRange(name="learning_rate", low=1e-4, high=1.0, scale="log"),
                Choice(name="hidden_units", values=(0, 128)),
            )
        )
        write_history(
            self.artifact("history") / "history.jsonl",
            new_history(space, _TASK, _SEARCH, tuple(trials)),
        )
        self.write("history", "probe.json", {"validation_accuracy": 0.91, "test_accuracy": 0.9})

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
                "seed": 7,
            },
        )
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
        result = verdict(
            (
                check_accuracy(quality, 0.5),
                check_class_recall(quality, 0.0),
                check_drop(
                    "max_drop_below_probe",
                    "the head on the frozen backbone",
                    probe_right,
                    predictions.right,
                    0.02,
                ),
            )
        )
        directory = self.artifact("blessing")
        self.record.reason = result.reason
        save_predictions(directory / FILE_NAME, predictions)
        slices = accuracy_slices(self.columns(rows), predictions.right)
        write_metrics(directory, predictions, quality, slices, float(probe_right.mean()))
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


STAGES = {
    "ImageExampleGen": 2.4,
    "StatisticsGen": 3.1,
    "ImageValidator": 0.05,
    "WarmTuner": 14.0,
    "Trainer": 33.9,
    "Evaluator": 9.7,
    "Judge": 3.2,
    "ServingCheck": 4.4,
    "Pusher": 0.3,
}
_SEARCH = SearchDescription(
    algorithm="bayesian",
    seed=7,
    epochs=30,
    patience=3,
    class_weights="none",
    metric="validation_accuracy",
)
_TASK = TaskDescription(
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


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Run:
    return Run(tmp_path_factory.mktemp("finished"))


@pytest.fixture
def run(finished, tmp_path) -> Run:
    """A copy that a test may damage."""
    run = copy.deepcopy(finished)
    run.folder = tmp_path / "artifacts"
    shutil.copytree(finished.folder, run.folder)
    run.record.artifacts = {key: str(run.folder / key) for key in run.record.artifacts}
    return run


def _page(run: Run) -> str:
    return write_report(run.record, run.folder / "out").read_text()


def _text(page: str) -> str:
    without_style = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", " ", without_style))


def test_the_report_tells_the_whole_story(run):
    page = _page(run)
    text = _text(page)
    assert "Pushed as version 3" in text
    assert run.record.reason in text
    for heading in ("Verdict", "On the test split", "Data", "Search", "Training", "Lineage"):
        assert f">{heading}</h2>" in page
    for words in (
        "Worst mistakes",
        "Confusion matrix",
        "Which values mattered",
        "Served over gRPC",
        "The file ends early.",
        "look alike in training and test",
        "Auto: 400 training images are at least 300.",
        "Resumed after 2 epochs",
        "5f0c41d0aa",
        "75.3 s",
    ):
        assert words in text
    assert page.count("<svg") == 4
    assert page.count("data:image/jpeg") >= 10 * 6
    assert len(page) < 1_000_000


def test_the_report_needs_nothing_from_outside(run):
    page = _page(run)
    links = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert all(link.startswith(("data:image/jpeg", "#")) for link in links)
    assert "url(" not in page


def test_names_cannot_inject_markup(run):
    run.record.reason = EVIL
    page = _page(run)
    assert "<script" not in page
    assert html.escape(EVIL, quote=False) in page.replace("&#34;", '"')


def test_the_summary_keeps_its_contract(run):
    write_report(run.record, run.folder / "out")
    summary = json.loads((run.folder / "out" / "summary.json").read_text())
    assert summary["status"] == "pushed"
    assert summary["data"] == {
        "images": 700,
        "classes": 10,
        "quarantined": 3,
        "fingerprint": "5f0c41d0aa",
    }
    assert summary["stages"]["ImageValidator"] == {"seconds": 0.05, "cached": True}
    assert summary["tuning"]["trials"] == 12
    assert set(summary["tuning"]["best"]) == {"score", "values"}
    measured = summary["metrics"]
    right = run.probabilities.argmax(axis=1) == run.target[500:]
    assert measured["accuracy"] == pytest.approx(right.mean())
    assert measured["validation_accuracy"] == 0.93
    assert measured["probe_accuracy"] == pytest.approx(
        (run.probe.argmax(axis=1) == run.target[500:]).mean()
    )
    assert set(measured["per_class"]) == set(CLASSES)
    assert summary["model"] == {
        "backbone": "EfficientNetLite0",
        "weights_digest": "ab12",
        "strategy": None,
        "pushed_to": "/srv/graft/3",
        "version": 3,
    }
    assert summary["serving_check"]["rest"]["passed"]


def test_a_run_that_failed_early_shows_what_there_is(run):
    run.record.status, run.record.reason = "failed", "Validation found 1 problem in the data."
    run.record.pushed_to = run.record.version = None
    run.record.stages = [StageRecord("ImageExampleGen", 2), StageRecord("Gate", 1, state="failed")]
    run.record.artifacts = {
        key: run.record.artifacts[key] for key in ("examples", "quarantine", "findings")
    }
    text = _text(_page(run))
    assert "Failed in Gate" in text
    assert "Validation found 1 problem" in text
    assert "Refused files" in text
    assert "Worst mistakes" not in text


def test_a_run_without_any_artifact_has_a_report(tmp_path):
    record = RunRecord("r", datetime.now(timezone.utc), {}, reason="No such folder.")
    text = _text(write_report(record, tmp_path).read_text())
    assert "No such folder." in text
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["status"], summary["data"]["images"]) == ("failed", None)


@pytest.mark.parametrize("key", ["quarantine", "history", "model", "blessing", "statistics"])
def test_damaged_files_never_stop_the_report(run, key):
    for path in (run.folder / key).rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "Pushed as version 3" in _text(_page(run))


def test_a_thousand_classes_stay_small(run):
    classes = tuple(f"class number {index}" for index in range(1000))
    random = np.random.default_rng(0)
    truth = random.integers(0, 1000, 3000)
    scores = random.random((3000, 1000)) + 0.8 * np.eye(1000)[truth]
    probabilities = (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)
    names = [run.names[500 + index % 200] for index in range(3000)]
    predictions = Predictions(names, [classes[index] for index in truth], classes, probabilities)
    quality = metrics.quality(predictions.truth, probabilities, classes, 3)
    save_predictions(run.folder / "blessing" / FILE_NAME, predictions)
    write_metrics(run.folder / "blessing", predictions, quality, (), None)
    ingest = json.loads((run.folder / "quarantine" / "ingest.json").read_text())
    ingest["classes"] = dict.fromkeys(classes, 5)
    run.write("quarantine", "ingest.json", ingest)
    page = _page(run)
    assert len(page.encode()) < 2_000_000
    assert "Most frequent confusions" in page
    assert "Confusion matrix" not in page


def test_ticks_are_round_and_span_the_values():
    assert nice_ticks(0.713, 0.944) == pytest.approx((0.7, 0.75, 0.8, 0.85, 0.9, 0.95))
    assert nice_ticks(3.0, 3.0)[0] <= 3.0 < nice_ticks(3.0, 3.0)[-1]
    assert nice_ticks(float("nan"), 1.0) == (0.0, 1.0)


def test_chart_text_is_escaped():
    chart = line_chart(
        EVIL, [Series(EVIL, [(0, 0), (1, 1)])], Axis(EVIL, (0.0, 1.0)), Axis("y", (0.0, 1.0))
    )
    assert "<script" not in chart


@pytest.mark.parametrize(
    ("seconds", "words"), [(4.23, "4.2 s"), (185, "3 min 05 s"), (7300, "2 h 01 min")]
)
def test_durations_in_words(seconds, words):
    assert duration(seconds) == words
