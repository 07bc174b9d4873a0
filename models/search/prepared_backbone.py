"""A candidate backbone, with what all configurations that have it share."""

from functools import cached_property
from pathlib import Path

from models.backbone_choice.backbone_choice import Candidate
from models.backbones import Backbone, build_backbone
from models.data import example_schema
from models.data.image_decoding import ImageSpec
from models.embedding.extraction import embed_splits
from models.head.embedded_task import embedded_task
from models.head.frozen_head import FrozenHead, fit_frozen_head
from models.head.labelled_embeddings import HeadTask
from models.search.search_task import SearchTask
from models.training import device
from models.training.mirroring import Mirror, try_mirror
from models.training.top_trainer import TopTrainer
from models.training.training_settings import TrainingSettings
from models.training.training_task import TrainingTask


class PreparedBackbone:
    """Built, embedded and traced when first asked for, and then kept."""

    def __init__(self, task: SearchTask, candidate: Candidate, activations: Path) -> None:
        """Builds the backbone.

        Args:
            task: that is searched on.
            candidate: one of its backbones.
            activations: folder that keeps what frozen layers make of the images.

        Raises:
            UsageError: the backbone cannot be built, or its weights cannot be had.
        """
        self._task = task
        self._activations = activations
        self._trainers: dict[float, TopTrainer] = {}
        self._mirror: Mirror | None = None
        self.backbone: Backbone = build_backbone(
            candidate.backbone, candidate.weights, candidate.image_size, features=task.features
        )
        self.spec = ImageSpec(self.backbone.image_size, task.resize)

    @cached_property
    def embeddings(self) -> HeadTask:
        """Of training and validation images.

        Raises:
            BadDataError: an image cannot be decoded, or none is there to train or validate on.
            UsageError: the backbone's features are no finite numbers.
            OSError: the store cannot be written.
        """
        splits = embed_splits(
            self._task.examples_uri,
            (example_schema.TRAIN, example_schema.VALIDATION),
            self.backbone,
            self.spec,
            self._task.embeddings,
        )
        return embedded_task(
            splits[example_schema.TRAIN],
            splits[example_schema.VALIDATION],
            self._task.labels,
            self._task.left_out,
        )

    @cached_property
    def head(self) -> FrozenHead:
        """The linear head on the frozen backbone."""
        return fit_frozen_head(self.embeddings, self._task.training.weighting)

    def training(self, settings: TrainingSettings, scratch: Path) -> TrainingTask:
        """A fine-tuning with this backbone.

        Args:
            settings: with what was searched.
            scratch: of this configuration alone.
        """
        return TrainingTask(
            examples_uri=self._task.examples_uri,
            labels=self._task.labels,
            spec=self.spec,
            backbone=self.backbone,
            embeddings=self.embeddings,
            settings=settings,
            seed=self._task.seed,
            scratch=scratch,
            log_dir=scratch / "logs",
            activations=self._activations,
            left_out=self._task.left_out,
        )

    def trainer(self, task: TrainingTask) -> TopTrainer:
        """Of the share that the task unfreezes."""
        share = task.settings.unfreeze
        if share not in self._trainers:
            for trainer in self._trainers.values():
                trainer.reset()
            policy = device.precision(task.settings.mixed_precision, device.prepare_device())
            self._trainers[share] = TopTrainer(task, self.head.model, policy)
        return self._trainers[share]

    def mirror(self, task: TrainingTask) -> Mirror | None:
        """Whether changed views may be mirrored; None where views are not changed."""
        if not task.settings.augment:
            return None
        if self._mirror is None:
            for trainer in self._trainers.values():
                trainer.reset()
            self._mirror = try_mirror(task, self.head.model)
        return self._mirror
