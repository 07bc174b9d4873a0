"""Trainer as a node of a pipeline, on artifacts in the form that its neighbours write."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import pytest
import tensorflow as tf
from labelled_examples import record_of
from tfx.orchestration import metadata, pipeline
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from trainer_inputs import channels, importers, write_inputs
from trainer_span import new_span, register_embedded
from training_digits import LABELS, SIZE, answers_of, digit_paths

from components.trained_backbone import write_trained_backbone
from components.trainer.component import Trainer
from components.trainer.task_reader import Inputs, ReadTask, read_task
from components.tuner.unseen_images import check_unseen
from models.backbone_choice.backbone_choice import Candidate
from models.backbones import build_backbone
from models.data import example_schema
from models.data.example_reader import dataset
from models.data.image_decoding import ImageSpec, decode_and_resize
from models.embedding import read_embeddings, read_info
from models.embedding.extraction import extract
from models.errors import BadDataError, GraftError, UsageError
from models.head.frozen_probe import read_probe_heads
from models.head.head_model import build_head, read_head
from models.training.earlier_model import read_earlier_model
from models.training.model_description import read_description
from models.training.train import train
from models.training.training_settings import TrainingSettings


def run(folder: Path) -> None:
    nodes = importers(folder)
    settings = TrainingSettings(
        strategy="fine_tune",
        epochs=2,
        batch_size=8,
        learning_rate=1e-4,
        unfreeze=0.1,
        augment=False,
        # With so few images the head alone would be exported.
        few_shot_images=0,
    )
    trainer = Trainer(
        **channels(nodes),
        settings=settings.to_json(),
        seed=1,
        check_images=4,
        max_pixels=1_000_000,
        activations_dir=str(folder / "activations"),
        scratch_dir=str(folder / "scratch"),
        embeddings_dir=str(folder / "cache"),
        code="1",
        recipe="9a",
    )
    connection = metadata.sqlite_metadata_connection_config(str(folder / "metadata.sqlite"))
    LocalDagRunner().run(
        pipeline.Pipeline(
            pipeline_name="training",
            pipeline_root=str(folder / "out"),
            components=[*nodes.values(), trainer],
            metadata_connection_config=connection,
        )
    )


@pytest.fixture(scope="module")
def folder(digits_folder, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    write_inputs(digits_folder, folder)
    register_embedded(folder)
    stale = folder / "scratch" / "of another training"
    stale.mkdir(parents=True)
    run(folder)
    assert not stale.exists()
    return folder


@pytest.fixture(scope="module")
def model(folder) -> Path:
    (model,) = (folder / "out" / "Trainer" / "model").iterdir()
    return model


class Session:
    """The model in TensorFlow's C++ loader, as TensorFlow Serving runs it."""

    def __init__(self, directory: Path):
        self.session = tf.compat.v1.Session(graph=tf.Graph())
        with self.session.graph.as_default():
            loaded = tf.compat.v1.saved_model.load(self.session, ["serve"], str(directory))
        self.signatures = loaded.signature_def

    def __call__(self, signature: str, values: list[bytes]) -> dict[str, np.ndarray]:
        found = self.signatures[signature]
        (given,) = found.inputs.values()
        wanted = {name: tensor.name for name, tensor in found.outputs.items()}
        return self.session.run(wanted, {given.name: values})


@pytest.fixture(scope="module")
def serve(model) -> Session:
    return Session(model / "Format-Serving")


@pytest.fixture(scope="module")
def test_images(digits_folder) -> list[Path]:
    return digit_paths(digits_folder)["test"]


def test_the_server_answers_encoded_images_as_the_keras_model_does(model, serve, test_images):
    answers = serve("serving_default", [path.read_bytes() for path in test_images])
    assert set(answers) == {"probabilities", "class_ids", "labels"}
    keras_model = keras.saving.load_model(model / "keras" / "model.keras", compile=False)
    decoded = [
        tf.image.resize(keras.utils.load_img(path), [SIZE, SIZE], antialias=True)
        for path in test_images
    ]
    expected = answers_of(keras_model, np.stack(decoded))
    np.testing.assert_allclose(answers["probabilities"], expected, atol=1e-4)
    assert answers["class_ids"].dtype == np.int64
    np.testing.assert_array_equal(answers["class_ids"], np.argsort(-expected, axis=1)[:, :5])
    names = np.array([label.encode() for label in LABELS], object)
    np.testing.assert_array_equal(answers["labels"], names[answers["class_ids"]])
    best = answers["labels"][:, 0].tolist()
    truth = [path.parent.name.encode() for path in test_images]
    assert np.mean([given == true for given, true in zip(best, truth, strict=True)]) > 0.6


def test_head_and_probe_lie_beside_the_model_for_those_to_come(folder, model):
    whole = keras.saving.load_model(model / "keras" / "model.keras", compile=False)
    head = read_head(model / "keras" / "head.keras")
    for own, other in zip(head.get_weights(), whole.get_layer("head").get_weights(), strict=True):
        np.testing.assert_array_equal(own, other)
    key = read_info(folder / "embeddings").key
    probe = read_probe_heads(model / "probe_heads.npz", key)
    assert probe is not None
    kernel = probe.heads[probe.strength].kernel
    assert kernel.shape == head.get_layer("logits").get_weights()[0].shape
    described = json.loads((model / "Format-Serving/assets.extra/graft.json").read_text())
    exported = json.loads((model / "training.json").read_text())["exported"]
    # What a fine-tuned backbone makes of images is of use to no other model.
    assert (described["body"] == "") == (exported == "fine_tuned")


def test_examples_are_answered_like_their_images(folder, serve, test_images):
    examples = list(dataset(str(folder / "examples"), "test").as_numpy_iterator())
    by_image = serve("serving_default", [path.read_bytes() for path in test_images])
    for name, value in serve("serving_examples", examples).items():
        np.testing.assert_array_equal(value, by_image[name])
    (probabilities,) = serve("evaluate", examples).values()
    np.testing.assert_array_equal(probabilities, by_image["probabilities"])
    (classes,) = serve("transform_labels", examples).values()
    assert classes.dtype == np.int64
    assert classes.tolist() == [int(path.parent.name) for path in test_images]


def test_monitoring_gets_the_embedding_with_the_same_answers(folder, serve, test_images):
    images = [path.read_bytes() for path in test_images]
    answers = serve("monitored", images)
    for name, value in serve("serving_default", images).items():
        np.testing.assert_array_equal(answers[name], value)
    learned = read_embeddings(folder / "embeddings", "test").embeddings
    assert answers["embedding"].shape == learned.shape


def test_a_class_that_was_not_learnt_is_minus_one(serve):
    (classes,) = serve("transform_labels", [record_of({"label": b"letter a"})]).values()
    assert classes.tolist() == [-1]


def test_the_expected_answers_are_those_of_the_server(model, serve, digits_folder):
    expected = json.loads((model / "expected.json").read_text())
    assert len(expected) == 4
    images = [(digits_folder / entry["name"]).read_bytes() for entry in expected]
    answers = serve("serving_default", images)["probabilities"]
    np.testing.assert_allclose(answers, [entry["probabilities"] for entry in expected], atol=1e-4)


def _begin(
    folder: Path,
    span: Path,
    champion: Path | None,
    start: Literal["auto", "champion"] = "auto",
    **more: Any,
) -> ReadTask:
    old = folder / "examples"
    inputs = Inputs(
        examples_uri=str(span / "examples"),
        embeddings_uri=str(span / "embeddings"),
        **{"labels": (*LABELS[:9], "nine"), **more},
        values={},
        embeddings_dir=str(folder / "cache"),
        champion_uri=str(champion) if champion else None,
        champion_examples_uri=str(old) if champion else None,
    )
    settings = TrainingSettings(strategy="feature_extraction", start=start)
    return read_task(inputs, settings, seed=1, scratch=span / "scratch", log_dir=span / "logs")


@pytest.mark.slow
def test_a_training_that_begins_from_the_champion_does_better_on_few_new_images(
    folder, model, digits_folder
):
    span = new_span(folder, digits_folder)
    begun, plain = (_begin(folder, span, champion) for champion in (model, None))
    described = json.loads((model / "Format-Serving/assets.extra/graft.json").read_text())
    assert (begun.begun_from, plain.begun_from) == (described["model_digest"], "")
    assert begun.task.earlier is not None
    assert begun.task.earlier.kernel[:, 9].any()  # the weights of the nines, by their images
    assert begun.probe is not None
    assert begun.probe.heads[begun.probe.strength].kernel[:, 9].any()
    trained = [train(each.task) for each in (begun, plain)]
    assert [each.record.start for each in trained] == ["champion", "pretrained"]
    assert "began with the weights of the last blessed model" in trained[0].record.notes[0]
    images = sorted((span / "images" / "test").glob("*/*"))
    pixels = np.stack(
        [decode_and_resize(tf.constant(each.read_bytes()), ImageSpec(SIZE)) for each in images]
    )
    truth = [(*LABELS[:9], "nine").index(each.parent.name) for each in images]
    right = [
        float(np.mean(answers_of(each.model, pixels).argmax(axis=1) == truth)) for each in trained
    ]
    assert right[0] > right[1] + 0.05


def test_a_network_that_knows_the_images_is_kept_under_a_new_head(folder, model):
    kept = _begin(folder, folder, model, labels=LABELS, keeps_network=True)
    described = read_description(model / "Format-Serving")
    assert kept.network == described.network
    assert kept.network is not None
    assert (kept.network.images, kept.network.classes, kept.network.recipe) == (120, 10, "9a")
    assert kept.task.known == 1.0
    record = train(replace(kept.task, settings=TrainingSettings())).record
    assert (record.start, record.exported) == ("champion", "head")
    assert "fine-tuned for 100.0% of these images by this configuration" in record.strategy.reason


def test_a_champion_that_does_not_fit_is_passed_over_where_nobody_asked_for_it(
    folder, model, tmp_path
):
    other = tmp_path / "model"
    shutil.copytree(model, other)
    file = other / "Format-Serving/assets.extra/graft.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"image_size": 96}))
    read = _begin(folder, folder, other)
    assert (read.begun_from, read.task.earlier) == ("", None)
    with pytest.raises(UsageError, match=r"Set model\.backbone: EfficientNetLite0"):
        _begin(folder, folder, other, start="champion")


def test_so_is_one_that_is_damaged(folder, model, tmp_path):
    other = tmp_path / "model"
    shutil.copytree(model, other)
    (other / "keras" / "model.keras").write_bytes(b"damaged")
    assert _begin(folder, folder, other, keeps_network=True).task.known is None
    with pytest.raises(GraftError, match="It cannot be read"):
        _begin(folder, folder, other, start="champion")


def test_a_champion_of_another_size_or_with_changed_weights_is_refused(folder, model, tmp_path):
    info = read_info(folder / "embeddings")
    described = read_description(model / "Format-Serving")
    file = model / "keras" / "model.keras"
    with pytest.raises(UsageError, match=r"EfficientNetLite0 at 96 px, but model asks for Effi"):
        read_earlier_model(file, replace(described, image_size=96), info)
    with pytest.raises(GraftError, match="Its weights are not those that were exported"):
        read_earlier_model(file, replace(described, model_digest="0" * 64), info)
    with pytest.raises(GraftError, match="It cannot be read"):
        read_earlier_model(tmp_path / "model.keras", described, info)
    with pytest.raises(GraftError, match="does not say what it is"):
        read_description(tmp_path)


def test_a_training_begins_from_the_head_that_learned_from_no_validation_image(
    folder, model, tmp_path
):
    info = read_info(folder / "embeddings")
    unseeing = build_head(info.dimension, len(LABELS))
    unseeing.get_layer("logits").bias.assign(np.arange(10.0))
    unseeing.save(tmp_path / "start_head.keras")
    file, described = model / "keras" / "model.keras", read_description(model / "Format-Serving")
    begun = read_earlier_model(file, described, info, tmp_path / "start_head.keras")
    np.testing.assert_array_equal(begun.head.bias, np.arange(10.0))


def test_and_from_the_backbone_that_did_not(folder, model):
    info = read_info(folder / "embeddings")
    exported = model / "Format-Serving"
    told = json.loads((exported / "assets.extra/graft.json").read_text())
    assert told["learned_from_validation"]
    file, unseeing = (model / "keras" / f"{name}.keras" for name in ("model", "start_model"))
    described = read_description(exported)
    from_it = read_earlier_model(file, described, info)
    begun = read_earlier_model(file, described, info, start_model=unseeing)
    assert begun.digest == from_it.digest, "lineage names the model that was pushed"
    assert not np.array_equal(begun.head.kernel, from_it.head.kernel)
    classifier = keras.saving.load_model(unseeing, compile=False)
    trunk = begun.backbone.trunk
    for layer in (layer for layer in trunk.layers if layer.weights):
        for ours, theirs in zip(
            layer.get_weights(), classifier.get_layer(layer.name).get_weights(), strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)


def test_the_model_says_what_it_is(model):
    description = json.loads((model / "Format-Serving/assets.extra/graft.json").read_text())
    assert description["labels"] == list(LABELS)
    assert (description["backbone"], description["image_size"]) == ("EfficientNetLite0", SIZE)
    assert (description["resize"], description["strategy"]) == ("stretch", "fine_tune")
    assert len(description["weights_digest"]) == 64
    assert not (model / "keras" / "further").exists(), "it has no further label column"
    training = json.loads((model / "training.json").read_text())
    assert training["strategy"] == "fine_tune"
    assert training["seed"] == 1


def test_tensorboard_can_show_the_run(folder):
    assert list((folder / "out" / "Trainer" / "model_run").rglob("events.out.tfevents.*"))


def test_a_backbone_goes_into_another_training_with_lineage_and_licence(folder, model, tmp_path):
    file = tmp_path / "digits.weights.h5"
    examples = folder / "examples"
    record = write_trained_backbone(model, examples, file, name="digits version 1", run="1")
    described = json.loads((model / "Format-Serving/assets.extra/graft.json").read_text())
    assert record is not None
    (link,) = record.links
    assert (link.images, link.classes, link.run) == (120, 10, "1")
    assert link.begun_from == described["weights_digest"] != link.weights_digest
    assert link.data_fingerprint == described["data_fingerprint"]
    extract(
        str(folder / "examples"),
        example_schema.SPLITS,
        build_backbone("EfficientNetLite0", str(file), SIZE),
        str(file),
        ImageSpec(SIZE),
        cache_directory=str(tmp_path / "cache"),
        output_uri=str(tmp_path / "embeddings"),
    )
    inputs = Inputs(
        examples_uri=str(folder / "examples"),
        embeddings_uri=str(tmp_path / "embeddings"),
        labels=LABELS,
        values={},
    )
    read = read_task(inputs, TrainingSettings(), seed=1, scratch=tmp_path, log_dir=tmp_path)
    assert read.chain == record.links
    assert read.task.backbone.weights_digest == link.weights_digest
    assert "fine-tuned by Graft before, on digits version 1 (120 images" in read.licence
    assert "Apache Software License 2.0" in read.licence
    # As it is where these weights were tried and replaced.
    replaced = replace(inputs, embeddings_uri=str(folder / "embeddings"))
    plain = read_task(replaced, TrainingSettings(), seed=1, scratch=tmp_path, log_dir=tmp_path)
    assert plain.chain == ()
    assert plain.licence.startswith("This model was trained from weights of EfficientNetLite0 for")
    asked = Candidate(backbone="EfficientNetLite0", weights=str(file), image_size=SIZE)
    with pytest.raises(BadDataError, match="40 of 40 validation images are among those that the b"):
        check_unseen(str(examples), [asked])
    check_unseen(str(examples), [asked.model_copy(update={"weights": "imagenet"})])


def test_a_model_that_is_a_head_alone_has_no_backbone_of_its_own(model, tmp_path):
    head = tmp_path / "model"
    shutil.copytree(model, head)
    file = head / "Format-Serving" / "assets.extra" / "graft.json"
    told = json.loads(file.read_text())
    told["network"]["exported"] = "head"
    file.write_text(json.dumps(told))
    target = tmp_path / "none.weights.h5"
    assert write_trained_backbone(head, head, target, name="digits", run="") is None
    assert not target.exists()
    told["network"]["begun_from"] = "0" * 64
    file.write_text(json.dumps(told))
    with pytest.raises(UsageError, match=r"digits went on from an earlier model .*champion"):
        write_trained_backbone(head, head, target, name="digits", run="")
    file.write_text(json.dumps({"exported": "fine_tuned", "begun_from": ""}))
    with pytest.raises(GraftError, match=r"does not tell all .* train it anew"):
        write_trained_backbone(head, head, target, name="digits", run="")
