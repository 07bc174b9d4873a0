"""Trainer: TFX's, given the embeddings beside the examples."""

import json

from tfx.components import Trainer as TfxTrainer
from tfx.dsl.components.base import base_beam_component, base_component, executor_spec
from tfx.proto import trainer_pb2
from tfx.types import BaseChannel, Channel, standard_artifacts
from tfx.types.component_spec import ChannelParameter
from tfx.types.standard_component_specs import TrainerSpec as TfxTrainerSpec

from components.artifact_types import Embeddings, LabelErrors, TrainingState
from components.trainer.executor import Executor
from models.data import example_schema


class TrainerSpec(TfxTrainerSpec):
    """TFX's Trainer with the embeddings, what a search began, and further images and models."""

    INPUTS = {
        **TfxTrainerSpec.INPUTS,
        "embeddings": ChannelParameter(type=Embeddings),
        "state": ChannelParameter(type=TrainingState),
        "label_errors": ChannelParameter(type=LabelErrors, optional=True),
        "unlabelled": ChannelParameter(type=standard_artifacts.Examples, optional=True),
        "target": ChannelParameter(type=standard_artifacts.Examples, optional=True),
        "champion_examples": ChannelParameter(type=standard_artifacts.Examples, optional=True),
    }


class Trainer(TfxTrainer, base_beam_component.BaseBeamComponent):
    """Trains the final model and exports it.

    The Model artifact holds, beside TFX's `Format-Serving/`:

    - `keras/model.keras`: from float32 [n, s, s, 3], RGB in 0..255, to probabilities;
    - `keras/start_head.keras`, where the head of that model learned from validation images: the
      linear head that did not, for later trainings to begin from;
    - `keras/start_model.keras`, where a fine-tuned model learned from validation images: the one
      that did not, likewise;
    - `keras/further/COLUMN.keras`: the head of a further label column, on the same backbone;
    - `training.json`: see `models.training.training_record`, the `machine` that it was made on, and
      `further_labels`, a list of what `models.head.further_head.FurtherHead` says of each head;
    - `probe.json` and `probe_predictions.npz`: see `models.head.frozen_probe`;
    - `expected.json`: a list of `name`, `sha256`, `probabilities` and, by further column,
      `further_labels`: what the Keras model and the further heads answer to some validation images,
      for the serving check.
    """

    SPEC_CLASS = TrainerSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        examples: BaseChannel,
        transform_graph: BaseChannel,
        embeddings: BaseChannel,
        hyperparameters: BaseChannel,
        state: BaseChannel,
        label_errors: BaseChannel | None = None,
        unlabelled: BaseChannel | None = None,
        target: BaseChannel | None = None,
        *,
        settings: str,
        seed: int,
        check_images: int,
        max_pixels: int,
        activations_dir: str,
        scratch_dir: str,
        embeddings_dir: str,
        code: str,
        further_labels: str = "[]",
        champion: BaseChannel | None = None,
        champion_examples: BaseChannel | None = None,
        keeps_network: bool = False,
        recipe: str = "",
    ) -> None:
        """Builds the node.

        Args:
            examples: of ImageExampleGen.
            transform_graph: of Transform, with the label vocabulary.
            embeddings: of FeatureExtractor; they also say which backbone it was.
            hyperparameters: of Tuner: the configuration to train.
            state: of Tuner: what its training goes on from.
            label_errors: of LabelCheck: which images are left out; None for none.
            unlabelled: of UnlabelledImages; None without any.
            target: of UnlabelledImages of another domain; None without any.
            settings: `models.training.training_settings.TrainingSettings` as JSON.
            seed: of everything random.
            check_images: validation images for the serving check.
            max_pixels: the served model refuses images with more.
            activations_dir: keeps what frozen layers made of the images, from the search on, and is
                emptied in the end; decides the cost, never the result.
            scratch_dir: keeps what a killed training goes on from; decides the cost, never the
                result.
            embeddings_dir: keeps embeddings from run to run; decides the cost, never the result.
            code: digest of the code that this component depends on; part of the cache key.
            further_labels: JSON list of the columns that hold labels beside the class.
            champion: Model to begin from; None for pretrained weights.
            champion_examples: what that was trained on, where it is still there.
            keeps_network: whether the head of the champion alone is learned.
            recipe: digest of the configuration, as in
                `models.training.model_description.Network`.
        """
        # TFX's constructor would refuse the further inputs.
        base_component.BaseComponent.__init__(
            self,
            TrainerSpec(
                examples=examples,
                transform_graph=transform_graph,
                embeddings=embeddings,
                hyperparameters=hyperparameters,
                state=state,
                label_errors=label_errors,
                unlabelled=unlabelled,
                target=target,
                base_model=champion,
                champion_examples=champion_examples,
                run_fn=f"{__package__}.run_fn.run_fn",
                train_args=trainer_pb2.TrainArgs(splits=[example_schema.TRAIN]),
                eval_args=trainer_pb2.EvalArgs(splits=[example_schema.VALIDATION]),
                custom_config=json.dumps(
                    {
                        "settings": settings,
                        "seed": seed,
                        "check_images": check_images,
                        "max_pixels": max_pixels,
                        "activations_dir": activations_dir,
                        "scratch_dir": scratch_dir,
                        "embeddings_dir": embeddings_dir,
                        "code": code,
                        "further_labels": further_labels,
                        "keeps_network": keeps_network,
                        "recipe": recipe,
                    },
                    sort_keys=True,
                ),
                model=Channel(type=standard_artifacts.Model),
                model_run=Channel(type=standard_artifacts.ModelRun),
            ),
        )
