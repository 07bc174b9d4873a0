"""The pipeline: which component reads what another wrote."""

import json
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.components import ExampleValidator, StatisticsGen, Transform
from tfx.dsl.components.base import base_node
from tfx.orchestration import pipeline as tfx_pipeline
from tfx.proto import transform_pb2
from tfx.types import BaseChannel

from components.code_fingerprint import code_fingerprint
from components.evaluation.component import Evaluator
from components.evaluation.eval_config import eval_config
from components.example_gen.component import ImageExampleGen
from components.feature_extractor.component import FeatureExtractor
from components.gate.component import ValidationGate
from components.image_validator.component import ImageValidator
from components.image_validator.validation_settings import ValidationSettings
from components.judge.component import Judge
from components.label_check.component import LabelCheck
from components.label_gate.component import LabelGate
from components.publisher.component import Publisher
from components.pusher.component import Pusher
from components.reference.component import ReferenceMaker
from components.schema_curator.component import SchemaCurator
from components.schema_curator.curated_schema import curated_labels, curated_state
from components.serving_check.component import ServingCheck
from components.statistics import stats_options
from components.trainer.component import Trainer
from components.transform import preprocessing
from components.transform.label_schema import LabelSchema
from components.tuner.component import Tuner
from components.unlabelled_images.component import UnlabelledImages
from models.data import example_schema
from models.data.image_look import LEAST_IMAGES
from models.storage.plain_path import plain_path
from pipeline import class_memory
from pipeline.config import Config
from pipeline.knowledge.history_places import data_name
from pipeline.lookups import Lookups, MetadataLookups, Nodes
from pipeline.network_recipe import network_recipe, searched_training, weights_digests
from pipeline.workspace import Workspace

NAME = "graft"
_NOT_OF_A_RUN = (
    *("log_requests", "sample_rate", "keep_images", "keep_days", "keep_mib"),
    *("false_alarms", "harm", "cooldown_hours"),
)
"""Keys of `monitoring` that no component reads."""
_OF_LABELS = ("label_errors", "max_label_errors")
"""Keys of `validation` that LabelGate alone reads."""
_NOT_OF_LABELS = tuple(set(ValidationSettings.model_fields).difference(_OF_LABELS))
_PLACES = ("path", "unlabelled", "target")
"""Keys of `data` that name folders; a node is told its own."""


def build_pipeline(
    config: Config, records: metadata_store_pb2.ConnectionConfig | None = None
) -> tfx_pipeline.Pipeline:
    """Builds the pipeline of one configuration.

    Nothing runs here, and the same configuration always gives the same pipeline, so that TFX
    finds what earlier runs made.

    Args:
        config: of the run.
        records: how ML Metadata opens its store; None for a pipeline that is looked at alone.

    Raises:
        UsageError: the workspace has a name that TFX would misread, and no link to it can be made.
    """
    workspace = Workspace.of(config)
    return tfx_pipeline.Pipeline(
        pipeline_name=NAME,
        pipeline_root=str(plain_path(workspace.artifacts)),
        components=pipeline_nodes(config, MetadataLookups()),
        enable_cache=True,
        metadata_connection_config=records,
        beam_pipeline_args=config.beam.arguments,
    )


def pipeline_nodes(config: Config, lookups: Lookups) -> Nodes:
    """All nodes, in an order in which they can run.

    Args:
        config: of the run.
        lookups: how it finds what earlier runs left.
    """
    workspace = Workspace.of(config)
    data = _data_nodes(config, workspace)
    model = _model_nodes(config, workspace, data, lookups)
    verdict = _verdict_nodes(config, workspace, data, model, lookups)
    return [*data.values(), *model.values(), *verdict.values()]


_Nodes = dict[str, base_node.BaseNode]


def _data_nodes(config: Config, workspace: Workspace) -> _Nodes:
    """From the user's files to images that may be trained on."""
    ingest = ImageExampleGen(
        path=config.data.path,
        settings=config.data.to_json(*_PLACES),
        seed=config.seed,
        columns=json.dumps(config.columns),
        classes=_replayed_classes(config),
        cache_dir=_digests_cache(workspace),
        code=code_fingerprint("components.example_gen"),
    )
    examples = ingest.outputs["examples"]
    statistics = StatisticsGen(examples=examples, stats_options=stats_options())
    schema = SchemaCurator(
        statistics=statistics.outputs["statistics"],
        quarantine=ingest.outputs["quarantine"],
        schema_path=str(config.schema_path),
        curated=curated_state(config.schema_path),
        code=code_fingerprint("components.schema_curator"),
    )
    anomalies = ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    validator = ImageValidator(
        examples=examples,
        quarantine=ingest.outputs["quarantine"],
        anomalies=anomalies.outputs["anomalies"],
        schema=schema.outputs["schema"],
        settings=config.validation.to_json("schema_path", *_OF_LABELS),
        further_labels=json.dumps(config.data.further_labels),
        memory_dir=str(class_memory.folder(workspace)),
        forgotten=class_memory.forgotten(workspace),
        code=code_fingerprint("components.image_validator"),
    )
    gate = ValidationGate(findings=validator.outputs["findings"])
    return _by_id(ingest, statistics, schema, anomalies, validator, gate)


def _replayed_classes(config: Config) -> str | None:
    """Those of the schema; a class that was taken out of it is not to come back."""
    labels = curated_labels(config.schema_path) if config.data.replay else None
    return None if labels is None else json.dumps(sorted(labels))


def _unlabelled(
    config: Config, workspace: Workspace, lookups: Lookups, labelled: BaseChannel
) -> dict[str, UnlabelledImages]:
    """Takes in the folders of images without labels; by the trainer's input that they are for."""
    nodes = {}
    cache_dir = _digests_cache(workspace)
    folders = (
        # All images without labels may have got one since: then none is learned from.
        ("unlabelled", config.data.unlabelled, 0),
        ("target", config.data.target, LEAST_IMAGES),
    )
    for name, path, least in folders:
        if not path:
            continue
        key = f"data.{name}"
        nodes[name] = UnlabelledImages(
            labelled=labelled,
            key=key,
            path=path,
            contents=lookups.contents(path, config.data, cache_dir, key, max(1, least)),
            least=least,
            settings=config.data.to_json(*_PLACES, "further_labels"),
            seed=config.seed,
            cache_dir=cache_dir,
            code=code_fingerprint("components.unlabelled_images"),
        )
    if "target" in nodes:
        nodes["target"].with_id("TargetImages")
    return nodes


def _model_nodes(config: Config, workspace: Workspace, data: _Nodes, lookups: Lookups) -> _Nodes:
    """From validated images to a trained model; nothing here starts before the gate opens."""
    examples = data["ImageExampleGen"].outputs["examples"]
    label_schema = LabelSchema()
    transform = Transform(
        examples=examples,
        schema=label_schema.outputs["schema"],
        preprocessing_fn=f"{preprocessing.__name__}.preprocessing_fn",
        splits_config=transform_pb2.SplitsConfig(analyze=[example_schema.TRAIN], transform=[]),
        materialize=False,
        disable_statistics=True,
        custom_config={"code": code_fingerprint("components.transform.preprocessing")},
    )
    graph = transform.outputs["transform_graph"]
    inputs: dict[str, BaseChannel] = {"examples": examples, "transform_graph": graph}
    label_nodes = _label_nodes(config, workspace, **inputs)
    # What no label check decides must not depend on one.
    left_out = {} if config.training.label_errors == "keep" else label_nodes[0].outputs
    recipe = network_recipe(config)
    champion = lookups.champion(config, examples, recipe)
    begun = {name: champion.inputs[name] for name in ("champion",) if name in champion.inputs}
    past, tuner = _search_nodes(config, workspace, lookups, **inputs, **left_out, **begun)
    chosen, choice = lookups.choice(tuner)
    # A choice names the weights by their values, so no digest of a file is needed beside it.
    embeddings = FeatureExtractor(
        examples=examples,
        choice=choice,
        settings=config.model.to_json("backbone", "weights", "image_size", "candidates"),
        cache_dir=_embeddings_cache(workspace),
        code=code_fingerprint("components.feature_extractor"),
    )
    unlabelled = _unlabelled(config, workspace, lookups, examples)
    trainer = Trainer(
        examples,
        graph,
        embeddings.outputs["embeddings"],
        tuner.outputs["best_hyperparameters"],
        tuner.outputs["state"],
        **{name: node.outputs["examples"] for name, node in unlabelled.items()},
        **left_out,
        settings=config.training.to_json(),
        seed=config.seed,
        check_images=config.serving.check_images,
        max_pixels=config.data.max_pixels,
        activations_dir=str(workspace.cache / "activations"),
        scratch_dir=str(workspace.cache / "training"),
        embeddings_dir=_embeddings_cache(workspace),
        further_labels=json.dumps(config.data.further_labels),
        **champion.inputs,
        keeps_network=config.begins_from == "known_champion",
        recipe=recipe,
        code=code_fingerprint("components.trainer"),
    )
    # A folder that is of no use is refused before anything is searched.
    for node in (*label_nodes[1:], *unlabelled.values()):
        for waiting in (*past, tuner):
            waiting.add_upstream_node(node)
    nodes = [transform, *label_nodes, *champion.nodes, *past, tuner, *chosen, embeddings]
    nodes += [*unlabelled.values(), trainer]
    for node in nodes:
        node.add_upstream_node(data["ValidationGate"])
    return _by_id(label_schema, *nodes)


def _label_nodes(
    config: Config, workspace: Workspace, **inputs: BaseChannel
) -> list[base_node.BaseNode]:
    """The look for wrong labels and what is said of them; none where nobody wants to know."""
    if config.training.label_errors == "keep" and config.validation.label_errors == "ignore":
        return []
    check = LabelCheck(
        model=config.model.to_json(),
        handling=config.training.label_errors,
        seed=config.seed,
        cache_dir=_embeddings_cache(workspace),
        code=code_fingerprint("components.label_check") + weights_digests(config),
        **inputs,
    )
    gate = LabelGate(
        label_errors=check.outputs["label_errors"],
        settings=config.validation.to_json(*_NOT_OF_LABELS),
        code=code_fingerprint("components.label_gate"),
    )
    return [check, gate]


def _search_nodes(
    config: Config, workspace: Workspace, lookups: Lookups, **inputs: BaseChannel
) -> tuple[Nodes, base_node.BaseNode]:
    """The look-up of all that the search may learn from, and the search."""
    parameters: dict[str, Any] = {
        "model": config.model.to_json(),
        "choice": config.choice.to_json(),
        "training": searched_training(config),
        "settings": config.tuning.to_json(),
        "seed": config.seed,
        "name": data_name(config.data.path),
        "knowledge": lookups.knowledge(config).to_json(),
        "code": code_fingerprint("components.tuner") + weights_digests(config),
    }
    nodes, past = lookups.past(config, parameters, inputs)
    if past is not None:
        inputs["past"] = past
    tuner = Tuner(
        cache_dir=_embeddings_cache(workspace),
        activations_dir=str(workspace.cache / "activations"),
        scratch_dir=str(workspace.cache / "tuning"),
        beside=str(workspace.images_beside),
        **inputs,
        **parameters,
    )
    return nodes, tuner


def _digests_cache(workspace: Workspace) -> str:
    return str(workspace.cache / "digests")


def _embeddings_cache(workspace: Workspace) -> str:
    return str(workspace.cache / "embeddings")


def _verdict_nodes(
    config: Config, workspace: Workspace, data: _Nodes, model: _Nodes, lookups: Lookups
) -> _Nodes:
    """From a trained model to one that is served."""
    examples = data["ImageExampleGen"].outputs["examples"]
    candidate = model["Trainer"].outputs["model"]
    found = lookups.baseline(config, candidate)
    answers_dir = str(workspace.cache / "answers")
    evaluator = Evaluator(
        examples=examples,
        model=candidate,
        example_splits=[example_schema.TEST],
        eval_config=eval_config(config.evaluation),
        answers_dir=answers_dir,
        code=code_fingerprint("components.evaluation"),
    )
    judge = Judge(
        examples=examples,
        model=candidate,
        evaluation=evaluator.outputs["evaluation"],
        **found.inputs,
        schema=data["SchemaCurator"].outputs["schema"],
        settings=config.evaluation.to_json(),
        answers_dir=answers_dir,
        code=code_fingerprint("components.judge"),
    )
    check = ServingCheck(
        model=candidate,
        examples=examples,
        model_blessing=judge.outputs["blessing"],
        settings=config.serving.to_json("directory", "publish"),
        code=code_fingerprint("components.serving_check", "serving"),
    )
    reference = ReferenceMaker(
        model=candidate,
        examples=examples,
        model_blessing=judge.outputs["blessing"],
        settings=config.monitoring.to_json(*_NOT_OF_A_RUN),
        answers_dir=answers_dir,
        code=code_fingerprint("components.reference"),
    )
    pusher = Pusher(
        model=candidate,
        model_blessing=judge.outputs["blessing"],
        infra_blessing=check.outputs["blessing"],
        reference=reference.outputs["reference"],
        quarantine=data["ImageExampleGen"].outputs["quarantine"],
        findings=data["ImageValidator"].outputs["findings"],
        name=config.serving.model_name,
        card=config.card.to_json(),
        directory=str(config.serving_directory),
        code=code_fingerprint("components.pusher"),
    )
    return _by_id(
        *found.nodes, evaluator, judge, check, reference, pusher, *_publishers(config, pusher)
    )


def _publishers(config: Config, pusher: Pusher) -> Nodes:
    """What brings the pushed version to object storage; nothing where nobody asked for it."""
    if not config.serving.publish:
        return []
    publisher = Publisher(
        pushed_model=pusher.outputs["pushed_model"],
        target=config.serving.publish,
        code=code_fingerprint("components.publisher"),
    )
    return [publisher]


def _by_id(*nodes: base_node.BaseNode) -> _Nodes:
    return {node.id: node for node in nodes}
