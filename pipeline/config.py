"""The configuration of a run: its sections, each a class that its component reads too.

Read once, validated once, frozen. `graft init` writes it with the meaning of each key; `graft
config` prints the effective one.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from components.evaluation.evaluation_settings import EvaluationSettings
from components.example_gen.ingest_settings import IngestSettings
from components.image_validator.validation_settings import ValidationSettings
from components.model_card.card_settings import CardSettings
from components.serving_check.serving_settings import ServingSettings
from models.backbone_choice.model_settings import ChoiceSettings, ModelSettings
from models.observation.monitoring_settings import MonitoringSettings
from models.search.search_settings import SearchSettings
from models.settings import Section
from models.training.training_settings import TrainingSettings
from pipeline.beam.beam_settings import BeamSettings
from pipeline.kubeflow.kubeflow_settings import KubeflowSettings
from pipeline.metadata_settings import MetadataSettings
from pipeline.notifications.notification_settings import NotificationSettings
from pipeline.retention.retention_settings import RetentionSettings
from pipeline.time_limit import LimitSettings
from pipeline.tracking.tracking_settings import TrackingSettings


class KnowledgeSettings(Section):
    """What a search may learn from, beside the earlier runs in the workspace."""

    starter: bool = True
    """Learn from the curves that come with Graft too, of fine-tunings on public image data, so
    that a first run starts warm."""
    paths: tuple[str, ...] = ()
    """Folders, files and buckets (gs://bucket/folder) with histories of other searches, such as
    one that a team shares. A new history there makes the next run search anew."""
    share: str = ""
    """Folder or bucket that every run copies its history to. Empty: none."""


class Config(Section):
    """Everything about a run."""

    workspace: str = "graft-workspace"
    """Holds all that runs make: metadata, artifacts, reports, the serving directory."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Of the split, the search and the training."""
    data: IngestSettings = IngestSettings()
    validation: ValidationSettings = ValidationSettings()
    model: ModelSettings = ModelSettings()
    choice: ChoiceSettings = ChoiceSettings()
    tuning: SearchSettings = SearchSettings()
    knowledge: KnowledgeSettings = KnowledgeSettings()
    training: TrainingSettings = TrainingSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    serving: ServingSettings = ServingSettings()
    card: CardSettings = CardSettings()
    monitoring: MonitoringSettings = MonitoringSettings()
    limits: LimitSettings = LimitSettings()
    retention: RetentionSettings = RetentionSettings()
    notifications: NotificationSettings = NotificationSettings()
    tracking: TrackingSettings = TrackingSettings()
    metadata: MetadataSettings = MetadataSettings()
    beam: BeamSettings = BeamSettings()
    kubeflow: KubeflowSettings = KubeflowSettings()

    @property
    def workspace_path(self) -> Path:
        """The workspace, absolute."""
        return Path(self.workspace).absolute()

    @property
    def begins_from(self) -> Literal["pretrained", "champion", "known_champion"]:
        """What a training begins from; a known champion is one that knows nearly all images."""
        if self.training.start != "auto":
            return self.training.start
        # A search that is asked for is made, and a chain makes weights to begin from.
        if self.tuning.budget or self.model.chain:
            return "pretrained"
        if self.data.replay:
            return "champion"
        # What more is asked for is learned by a network that is fine-tuned.
        is_plain = not (self.data.unlabelled or self.data.target)
        return "known_champion" if is_plain and self.training.strategy == "auto" else "pretrained"

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the data that travel with the images: slices, and further labels."""
        return tuple(dict.fromkeys((*self.evaluation.slices, *self.data.further_labels)))

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of environment variables that hold addresses."""
        addresses = (self.metadata.uri, self.notifications.webhook, self.tracking.mlflow)
        names = (each.removeprefix("$") for each in addresses if each.startswith("$"))
        return tuple(dict.fromkeys(names))

    @property
    def schema_path(self) -> Path:
        """File of the curated schema."""
        own = self.validation.schema_path
        return Path(own or self.workspace_path / "schema" / "schema.pbtxt").absolute()

    @property
    def serving_directory(self) -> Path:
        """Directory of versions that the server watches."""
        own = self.serving.directory
        return Path(own or self.workspace_path / "serving" / self.serving.model_name).absolute()
