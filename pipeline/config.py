"""The configuration of a run: every key, its default and its meaning, in one place.

Read once, validated once, frozen. `graft init` writes it with these comments; `graft config`
prints the effective one.
"""

import math
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from models.search.search_settings import SearchSettings
from models.settings import Fraction, Section
from models.training.training_settings import TrainingSettings
from pipeline.config_checks import check_encoding, check_group, check_model_name

Severity = Literal["error", "warning", "ignore"]


class DataConfig(Section):
    """Where the images come from and how they are split."""

    path: str = ""
    """Folder with a folder per class (train/, validation/, test/ above them where the data has a
    split of its own), a .csv or .jsonl manifest (path, label, optional split), or .tfrecord
    files. May hold {SPAN} and {VERSION}: the newest is taken."""
    validation_fraction: Annotated[float, Field(gt=0.0, lt=0.5)] = 0.15
    """Share of each class set aside for choosing, where the data has no split of its own."""
    test_fraction: Annotated[float, Field(gt=0.0, lt=0.5)] = 0.15
    """Share of each class set aside for the final figure."""
    max_pixels: Annotated[int, Field(ge=1)] = 100_000_000
    """Images with more pixels are quarantined (decompression bombs)."""
    encoding: str = ""
    """Of a manifest, by Python's name of it, such as cp1252. Empty: UTF-8, or UTF-16 where the file
    begins with its byte order mark; anything else is refused."""
    ignore: tuple[str, ...] = ()
    """Patterns of paths relative to the data that are passed over, such as [masks/*, "*_mask.png"];
    * stands for anything, slashes too."""
    layout: Literal["auto", "class_per_folder", "class_per_inner_folder"] = "auto"
    """How folders are read. auto finds split folders, class folders and folders around them, and
    asks where more than one reading fits. class_per_folder: each top folder is a class, whatever
    its name. class_per_inner_folder: the folder that an image lies in is its class."""
    follow_links: bool = False
    """Follow links that lead out of the data folder. Without it they are refused."""
    group: str = ""
    """Photos of one object, patient or place are a group, which lies on one side of the split as a
    whole. Either a column of the manifest, or a regular expression over the path whose first
    bracket (or whole match) names the group, such as "(patient\\d+)_". Empty: none."""
    sample_range: tuple[float, float] | None = None
    """Samples that are black and white in images of more than 8 bits a channel (16-bit PNG and
    TIFF, 32-bit, floats), such as [0, 4095] for a camera of 12 bits. Empty: the range that all the
    data's samples use, rounded to a power of two."""

    _encoding_is_of_text = field_validator("encoding")(check_encoding)
    _group_is_pattern = field_validator("group")(check_group)

    @field_validator("sample_range")
    @classmethod
    def _from_black_to_white(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value and not (-math.inf < value[0] < value[1] < math.inf):
            raise ValueError("two finite numbers, black and then white, black the smaller one")
        return value


class ValidationConfig(Section):
    """What the gate stops the run for: error stops it, warning is reported, ignore is silent."""

    schema_path: str = ""
    """Schema of the derived features: inferred and written here by the first run, then yours to
    edit and commit. Empty: schema/schema.pbtxt in the workspace."""
    schema_anomaly: Severity = "warning"
    """A statistic outside the schema (TFDV)."""
    unseen_class: Severity = "error"
    """A class in validation or test that training has no image of, or that the schema lacks."""
    label_conflict: Severity = "error"
    """The same image, by its bytes or its pixels, under two labels, in more than
    max_label_conflicts of the images."""
    max_label_conflicts: Fraction = 0.001
    """Share of images under two labels up to which that is a warning: large collections made by
    people hold a few."""
    duplicate_across_splits: Severity = "warning"
    """The same bytes in two splits."""
    near_duplicate_across_splits: Severity = "warning"
    """Perceptually equal images in two splits."""
    near_duplicate_distance: Annotated[int, Field(ge=0, le=16)] = 2
    """Bits by which two 64-bit perceptual hashes may differ and still count as near-duplicates."""
    group_across_splits: Severity = "warning"
    """A group of data.group that lies on two sides of a split of the data's own."""
    groups_suspected: Severity = "warning"
    """File names or near-duplicates suggest several photos of one thing on two sides of the split,
    and data.group is empty."""
    min_images_per_class: Annotated[int, Field(ge=1)] = 5
    """Fewer training images than this in a class is a finding."""
    too_few_images: Severity = "error"
    """A class with fewer training images than min_images_per_class."""
    max_quarantined: Fraction = 0.1
    """Largest share of images that may be refused."""
    too_many_quarantined: Severity = "error"
    """More than max_quarantined of the images were refused."""
    damaged_container: Severity = "error"
    """A TFRecord file that is damaged, cut short or missing among its shards: how many records it
    held is unknown."""
    flat_images: Severity = "error"
    """Images without contrast: blank, black, or broken by a conversion. Up to max_flat of them
    that is a warning."""
    max_flat: Fraction = 0.2
    """Largest share of the images, and of each class, that may be flat."""
    one_picture: Severity = "error"
    """The same picture over and over, in more than max_one_picture of the images or of a class."""
    max_one_picture: Fraction = 0.5
    """Largest share of the images, and of each class, that may be copies of one picture."""


class CandidateConfig(Section):
    """One of several backbones to choose from; what it leaves empty is as in model."""

    backbone: str | None = None
    """As model.backbone."""
    weights: str | None = None
    """As model.weights."""
    image_size: Annotated[int, Field(ge=32, le=1024)] | None = None
    """As model.image_size."""


class ModelConfig(Section):
    """The pretrained backbone."""

    backbone: str = "EfficientNetLite0"
    """EfficientNetLite0, or any model of Keras Applications by name (MobileNetV2, ResNet50, …)."""
    weights: str = "imagenet"
    """imagenet, the path of a weights file, or none (random; for tests)."""
    image_size: Annotated[int, Field(ge=32, le=1024)] | None = None
    """Side in pixels that images are resized to. Empty: the backbone's own."""
    resize: Literal["stretch", "pad", "crop"] = "stretch"
    """How a rectangle becomes a square."""
    candidates: tuple[CandidateConfig, ...] = ()
    """Backbones of which the data choose one, such as [{image_size: 128}, {image_size: 224},
    {backbone: MobileNetV2}]; what one leaves out is as above. Empty: no choice, the one above."""

    @property
    def resolved_candidates(self) -> list[dict[str, Any]]:
        """`backbone`, `weights` and `image_size` of each candidate."""
        own = self.model_dump(include=set(CandidateConfig.model_fields))
        return [own | each.model_dump(exclude_none=True) for each in self.candidates]


class ChoiceConfig(Section):
    """How one of model.candidates is chosen: the cheapest of those that are as good as the best."""

    images: Annotated[int, Field(ge=20, le=10_000)] = 800
    """Training and validation images that each candidate is probed on."""
    price: Annotated[float, Field(ge=0.0, le=1.0)] = 0.005
    """Accuracy that a candidate must gain for each doubling of its milliseconds an image."""
    standard_errors: Annotated[float, Field(ge=0.0, le=10.0)] = 1.0
    """A cheaper candidate counts as good as the best up to so many standard errors behind it."""


class KnowledgeConfig(Section):
    """What a search may learn from, beside the earlier runs in the workspace."""

    starter: bool = True
    """Learn from the histories that come with Graft too, from searches on public image data, so
    that a first run starts warm."""
    paths: tuple[str, ...] = ()
    """Folders, files and buckets (gs://bucket/folder) with histories of other searches, such as
    one that a team shares. A new history there makes the next run search anew."""
    share: str = ""
    """Folder or bucket that every run copies its history to. Empty: none."""


class EvaluationConfig(Section):
    """What a model must show before it is pushed. The figures are on the test split."""

    min_accuracy: Fraction = 0.5
    """Least accuracy."""
    max_accuracy_drop: Fraction = 0.01
    """Most accuracy that may be lost against the last blessed model."""
    max_drop_below_probe: Fraction = 0.02
    """Most accuracy that may be lost against the head on the frozen backbone: negative transfer."""
    min_class_recall: Fraction = 0.0
    """Least recall of every class."""
    max_calibration_error: Fraction = 1.0
    """Most expected calibration error."""
    top_k: Annotated[int, Field(ge=2)] = 3
    """The k of top-k accuracy."""


class ServingConfig(Section):
    """The serving directory and the check before the push."""

    model_name: str = "graft"
    """Name in the serving API: /v1/models/<model_name>."""
    directory: str = ""
    """Directory of versions that the server watches. Empty: serving/<model_name> in the
    workspace."""
    check_images: Annotated[int, Field(ge=1, le=64)] = 8
    """Real images sent through REST and gRPC before the push."""
    tolerance: Annotated[float, Field(gt=0.0)] = 1e-3
    """Most that a served probability may differ from the trainer's."""

    _model_name_names_a_folder = field_validator("model_name")(check_model_name)


class Config(Section):
    """Everything about a run."""

    workspace: str = "graft-workspace"
    """Holds all that runs make: metadata, artifacts, reports, the serving directory."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Of the split, the search and the training."""
    data: DataConfig = DataConfig()
    validation: ValidationConfig = ValidationConfig()
    model: ModelConfig = ModelConfig()
    choice: ChoiceConfig = ChoiceConfig()
    tuning: SearchSettings = SearchSettings()
    knowledge: KnowledgeConfig = KnowledgeConfig()
    training: TrainingSettings = TrainingSettings()
    evaluation: EvaluationConfig = EvaluationConfig()
    serving: ServingConfig = ServingConfig()

    @property
    def workspace_path(self) -> Path:
        """The workspace, absolute."""
        return Path(self.workspace).absolute()

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
