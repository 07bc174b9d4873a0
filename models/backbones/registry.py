"""The backbones by name, built and filled with weights."""

from dataclasses import dataclass

import keras

from models.backbone_names import LITES, check_backbone, default_image_size
from models.backbone_record import read_record
from models.backbones import efficientnet_lite, keras_applications, weight_files
from models.backbones.backbone_file import check_whole
from models.backbones.block_features import FeatureSource, find_blocks, with_blocks
from models.backbones.cuts import Cut


@dataclass(frozen=True, slots=True)
class Backbone:
    """A feature extractor.

    Attributes:
        name: as in `available_backbones`.
        model: flat Keras model from float32 [n, s, s, 3], raw RGB in 0..255, to features [n, d];
            the backbone's own preprocessing is its first layer.
        trunk: the same to its last pooled output alone; shares all layers.
        blocks: those whose features are added to the last ones; none for features of the last.
        image_size: s, in pixels.
        dimension: d.
        weights_digest: SHA-256 over the values of the weights, hex.
    """

    name: str
    model: keras.Model
    trunk: keras.Model
    blocks: tuple[Cut, ...]
    image_size: int
    dimension: int
    weights_digest: str

    @property
    def features(self) -> FeatureSource:
        """Of all blocks, or of the last output alone."""
        return "all" if self.blocks else "last"


def build_backbone(
    name: str,
    weights: str,
    image_size: int | None = None,
    *,
    features: FeatureSource = "last",
    seed: int = 0,
) -> Backbone:
    """Builds a backbone and loads its weights.

    Args:
        name: EfficientNetLite0, 1 or 2, or a model of Keras Applications.
        weights: "imagenet", "none" (random), or the path of a file saved by Keras; one that Graft
            wrote (`models.backbone_file`) must be whole.
        image_size: side in pixels, at least 32; None for the backbone's own.
        features: of all blocks, or of the last output alone.
        seed: of random weights. Keras' global seed is set where they are asked for.

    Raises:
        UsageError: unknown name, impossible size, a download that failed, or a file that does not
            fit.
    """
    check_backbone(name, image_size)
    size = default_image_size(name) if image_size is None else image_size
    if weights == "none":
        keras.utils.set_random_seed(seed)
    imagenet = weights == "imagenet"
    if name in LITES:
        trunk = efficientnet_lite.build(name, size)
        if imagenet:
            efficientnet_lite.load_imagenet_weights(trunk)
    else:
        trunk = keras_applications.build(name, size, imagenet=imagenet)
    from_file = weights not in ("imagenet", "none")
    if from_file:
        weight_files.load_file(trunk, weights)
    digest = weight_files.digest(trunk)
    if from_file and (record := read_record(weights)):
        check_whole(record, digest, weights)
    blocks = find_blocks(trunk) if features == "all" else ()
    model = with_blocks(trunk, blocks) if blocks else trunk
    return Backbone(
        name=name,
        model=model,
        trunk=trunk,
        blocks=blocks,
        image_size=size,
        dimension=int(model.output_shape[-1]),
        weights_digest=digest,
    )
