"""What a search is made on, as every process that takes part in it reads it."""

from typing import Annotated

from pydantic import Field

from models.backbone_choice.backbone_choice import Candidate
from models.backbones.block_features import FeatureSource
from models.data.image_decoding import Resize
from models.history.search_space import Frozen
from models.training.training_settings import TrainingSettings


class SearchTask(Frozen):
    """The images, and what may be made of them.

    Attributes:
        examples_uri: folder of the Examples, with the splits train and validation.
        labels: class names in the order of the outputs.
        candidates: backbones to choose from, with their image sizes; the first is the usual one.
        resize: how a rectangle becomes a square.
        features: that the head sees of a backbone.
        training: as configured; what is searched takes the place of some of it.
        seed: of everything random.
        embeddings: folder of the store that keeps embeddings from run to run.
        activations: folder that keeps what frozen layers make of the images until the training
            after the search has ended.
        left_out: names of images that are neither trained nor validated on.
    """

    examples_uri: str
    labels: tuple[str, ...]
    candidates: Annotated[tuple[Candidate, ...], Field(min_length=1)]
    resize: Resize
    features: FeatureSource
    training: TrainingSettings
    seed: int
    embeddings: str
    activations: str
    left_out: tuple[str, ...] = ()
