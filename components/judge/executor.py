"""Runs the model over the test split, checks the answers and writes the verdict."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from tfx.components.evaluator import constants
from tfx.dsl.components.base import base_executor
from tfx.types import Artifact, artifact_utils
from tfx.utils import path_utils
from typing_extensions import override

from components.artifact_seals import EXPORT_DIGEST
from components.artifact_types import Artifacts, Params, first_uri
from components.evaluation.evaluation_settings import EvaluationSettings
from components.judge import comparisons
from components.judge.baseline import BASELINE, without_empty_baseline
from components.judge.checks import (
    Check,
    Verdict,
    check_accuracy,
    check_calibration,
    check_class_recall,
    verdict,
)
from components.judge.evaluator_check import check_evaluator
from components.judge.explanations import EXPLANATIONS_FILE, explain, save_explanations
from components.judge.forgetting import (
    Forgetting,
    check_forgetting,
    find_forgetting,
    images_to_remember,
)
from components.judge.frequent_class import beside_frequent_class
from components.judge.further_columns import ColumnResult, judge_column
from components.judge.gaps import Gap, check_gaps, find_gaps
from components.judge.paired_answers import AsServed, Baseline, PairedAnswers, paired_answers
from components.judge.predicting import AskedModels
from components.judge.prediction_file import FILE_NAME, Predictions, save_predictions
from components.judge.shortcut_check import Looked, check_shortcuts, look_for_shortcuts
from components.judge.slices import accuracy_slices
from components.judge.verdict_files import write_metrics, write_verdict
from components.schema_curator.schema import read_known_labels
from models.data import example_schema
from models.data.example_reader import derived_features
from models.errors import BadDataError
from models.metrics import Quality, quality
from models.storage.seals import tree_digest


class Executor(base_executor.BaseExecutor):
    """Writes the ModelBlessing artifact."""

    @override
    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Params) -> None:
        """Runs the component; see `components.judge.component`.

        Raises:
            BadDataError: there is no test image.
            GraftError: the model lacks its serving signature or its class names.
        """
        model = artifact_utils.get_single_instance(input_dict["model"])
        baseline = next(iter(without_empty_baseline(input_dict).get(BASELINE, [])), None)
        trained_on = next(iter(input_dict.get("baseline_examples", [])), None)
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        result = judge(
            model_uri=model.uri,
            baseline=Baseline(baseline.uri, trained_on.uri if trained_on else None)
            if baseline
            else None,
            examples_uri=artifact_utils.get_single_uri(input_dict["examples"]),
            evaluation_uri=artifact_utils.get_single_uri(input_dict["evaluation"]),
            settings=EvaluationSettings.from_json(exec_properties["settings"]),
            wanted=_wanted(input_dict),
            directory=Path(blessing.uri),
            answers_dir=exec_properties.get("answers_dir") or "",
        )
        digest = tree_digest(Path(path_utils.serving_model_path(model.uri)))
        blessing.set_string_custom_property(EXPORT_DIGEST, digest)
        _set_properties(blessing, model, baseline, result)


def judge(
    *,
    model_uri: str,
    baseline: Baseline | None,
    examples_uri: str,
    evaluation_uri: str,
    settings: EvaluationSettings,
    wanted: frozenset[str] | None,
    directory: Path,
    answers_dir: str = "",
) -> Verdict:
    """Judges a model and writes the verdict's files.

    Args:
        model_uri: directory of the Model artifact.
        baseline: the last blessed model; None where there is none.
        examples_uri: directory of the Examples artifact; its test split is used.
        evaluation_uri: directory of the Evaluator's ModelEvaluation artifact.
        settings: what the model must show.
        wanted: classes of the schema; None where it names none.
        directory: gets the files; made if it is missing.
        answers_dir: see `components.judge.predicting.predict_columns`.

    Returns:
        The verdict.

    Raises:
        BadDataError: there is no test image.
        GraftError: the model lacks its serving signature or its class names.
    """
    directory.mkdir(parents=True, exist_ok=True)
    asked = AskedModels(answers_dir)
    found = _look(asked, model_uri, examples_uri, baseline, wanted, settings)
    figures = found.figures
    agrees = check_evaluator(evaluation_uri, figures.accuracy, figures.images)
    result = verdict((*_checks(found, settings), agrees))
    predictions, probe, paired = found.predictions, found.probe, found.paired
    save_predictions(directory / FILE_NAME, predictions)
    explanations = explain(asked.model(model_uri), predictions, examples_uri)
    save_explanations(directory / EXPLANATIONS_FILE, explanations)
    write_metrics(
        directory,
        predictions,
        figures,
        accuracy_slices(found.columns, predictions.right),
        found.gaps,
        found.looked.found if found.looked else (),
        found.forgetting,
        float(probe.right.mean()) if probe else None,
        [each for each, _ in found.further if each],
    )
    write_verdict(directory, result, paired.changes if paired else ())
    name = constants.BLESSED_FILE_NAME if result.blessed else constants.NOT_BLESSED_FILE_NAME
    (directory / name).touch()
    return result


@dataclass(frozen=True)
class _Found:
    """What a model shows, before it is held against any limit; None for what there is not."""

    predictions: Predictions
    figures: Quality
    probe: Predictions | None
    columns: Mapping[str, NDArray[Any]]
    paired: PairedAnswers | None
    further: Sequence[tuple[ColumnResult | None, list[Check]]]
    served: AsServed | None
    forgetting: Forgetting | None
    gaps: tuple[Gap, ...]
    looked: Looked | None


def _look(
    asked: AskedModels,
    model_uri: str,
    examples_uri: str,
    baseline: Baseline | None,
    wanted: frozenset[str] | None,
    settings: EvaluationSettings,
) -> _Found:
    answers = asked.of(model_uri, examples_uri)
    predictions = answers[example_schema.LABEL]
    if not predictions.names:
        raise BadDataError("The test split has no images, so the model cannot be judged.")
    own = [example_schema.slice_feature(column) for column in settings.slices]
    columns = derived_features(examples_uri, example_schema.TEST, own)
    compared = _compared(asked, columns, model_uri, examples_uri, baseline) if baseline else {}
    paired = compared.get(example_schema.LABEL)
    served = images_to_remember(paired, wanted) if paired else None
    looks = settings.shortcuts != "ignore"
    model = asked.model(model_uri)
    return _Found(
        predictions=predictions,
        figures=quality(
            predictions.truth, predictions.probabilities, predictions.classes, settings.top_k
        ),
        probe=comparisons.probe_predictions(model_uri, predictions),
        columns=columns,
        paired=paired,
        further=[
            judge_column(column, each, compared.get(column), settings)
            for column, each in answers.items()
            if column != example_schema.LABEL
        ],
        served=served,
        forgetting=find_forgetting(served, predictions.classes) if served else None,
        gaps=find_gaps(columns, predictions.truth, predictions.right),
        looked=look_for_shortcuts(model, predictions, examples_uri) if looks else None,
    )


def _checks(found: _Found, settings: EvaluationSettings) -> Iterator[Check]:
    """All but that of the Evaluator."""
    paired = found.paired
    aside = beside_frequent_class(found.predictions).aside
    yield check_accuracy(found.figures, settings.min_accuracy, aside)
    yield check_class_recall(found.figures, settings.min_class_recall)
    yield check_calibration(found.figures, settings.max_calibration_error)
    yield from comparisons.check_baseline(paired, settings.max_accuracy_drop, settings.challenger)
    # Where the classes are the same, the comparison with the last blessed model says it.
    if found.served and paired and paired.changes:
        yield check_forgetting(found.served, found.forgetting, settings.max_forgetting)
    yield comparisons.check_probe(found.predictions, found.probe, settings.max_drop_below_probe)
    if settings.slices:
        yield check_gaps(found.gaps, settings.max_slice_gap)
    if settings.shortcuts != "ignore":
        yield check_shortcuts(found.looked, settings)
    for _, checks in found.further:
        yield from checks


def _compared(
    asked: AskedModels,
    columns: Mapping[str, NDArray[Any]],
    model_uri: str,
    examples_uri: str,
    baseline: Baseline,
) -> dict[str, PairedAnswers]:
    """The model beside the last blessed one, for each label column that both answer."""
    digest = dict(zip(columns[example_schema.NAME], columns[example_schema.SHA256], strict=True))
    return {
        column: paired_answers(
            each,
            [digest[name] for name in each.names],
            model_uri,
            examples_uri,
            baseline,
            asked,
            column,
        )
        for column, each in asked.of(model_uri, examples_uri).items()
        if column in asked.of(baseline.model_uri, examples_uri)
    }


def _wanted(input_dict: Artifacts) -> frozenset[str] | None:
    """The classes of the schema; None where there is none."""
    uri = first_uri(input_dict.get("schema", []))
    return read_known_labels(uri) if uri else None


def _set_properties(
    blessing: Artifact, model: Artifact, baseline: Artifact | None, result: Verdict
) -> None:
    """Sets what TFX's Evaluator sets, which is what its strategies and Pusher look for."""
    blessing.set_string_custom_property(
        constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, model.uri
    )
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id)
    if baseline:
        blessing.set_string_custom_property(
            constants.ARTIFACT_PROPERTY_BASELINE_MODEL_URI_KEY, baseline.uri
        )
        blessing.set_int_custom_property(
            constants.ARTIFACT_PROPERTY_BASELINE_MODEL_ID_KEY, baseline.id
        )
    blessing.set_int_custom_property(
        constants.ARTIFACT_PROPERTY_BLESSED_KEY,
        constants.BLESSED_VALUE if result.blessed else constants.NOT_BLESSED_VALUE,
    )
    blessing.set_string_custom_property(
        constants.ARTIFACT_PROPERTY_BLESSING_MESSAGE_KEY, result.reason
    )
