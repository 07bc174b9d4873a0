"""What one training is given."""

from dataclasses import dataclass
from pathlib import Path

import keras

from models.backbones import Backbone
from models.data import example_schema
from models.data.image_decoding import ImageSpec
from models.head.earlier_head import EarlierHead
from models.head.labelled_embeddings import HeadTask, UnlabelledEmbeddings
from models.training.image_split import ImageSplit
from models.training.training_settings import TrainingSettings


@dataclass(frozen=True)
class TrainingTask:
    """One training.

    Attributes:
        examples_uri: folder of the Examples, with the splits train and validation.
        labels: class names in the order of the outputs.
        spec: the square that images become.
        backbone: pretrained; fine-tuning changes its weights.
        embeddings: of its features, in the order of the examples; only known classes.
        settings: of the training.
        seed: of everything random.
        scratch: folder of this training alone, where a killed one is taken up.
        log_dir: for TensorBoard.
        activations: folder that keeps what frozen layers made of the images, for further
            trainings; those of other images or another seed are kept apart. None for a training of
            its own.
        unlabelled: images without labels; None without any.
        unlabelled_uri: folder of the Examples of these; empty for none.
        target_uri: folder of the Examples of another domain, without labels; empty for none.
        is_searched: whether a search chose the settings, and with them the strategy.
        left_out: names of images that are neither trained nor validated on, as their labels look
            wrong; the embeddings lack them.
        earlier: head, for these classes, of the model whose backbone this is; None where that is
            pretrained.
        is_validated_later: whether the validation images judge more than the training does, on the
            backbone that it leaves.
        known: share of the images that the network of `earlier` was trained for, if that is kept
            and its head alone is learned; None where the training decides what is learned.
    """

    examples_uri: str
    labels: tuple[str, ...]
    spec: ImageSpec
    backbone: Backbone
    embeddings: HeadTask
    settings: TrainingSettings
    seed: int
    scratch: Path
    log_dir: Path
    activations: Path | None = None
    unlabelled: UnlabelledEmbeddings | None = None
    unlabelled_uri: str = ""
    target_uri: str = ""
    is_searched: bool = False
    left_out: tuple[str, ...] = ()
    earlier: EarlierHead | None = None
    is_validated_later: bool = False
    known: float | None = None

    @property
    def images(self) -> int:
        """Number of training images."""
        return len(self.embeddings.train.classes)

    @property
    def train(self) -> ImageSplit:
        """The training images."""
        return self._split(example_schema.TRAIN)

    @property
    def validation(self) -> ImageSplit:
        """The validation images."""
        return self._split(example_schema.VALIDATION)

    def _split(self, name: str) -> ImageSplit:
        return ImageSplit(self.examples_uri, name, self.labels, self.spec, self.left_out)


def with_head(backbone: keras.Model, head: keras.Model) -> keras.Model:
    """The backbone with its head, from images float32 [n, s, s, 3] to probabilities [n, k]."""
    # float32 under mixed precision too: what is served are these values.
    softmax = keras.layers.Softmax(dtype="float32", name="probabilities")
    outputs = softmax(head(backbone.outputs[0]))
    return keras.Model(backbone.inputs[0], outputs, name="classifier")
