"""Images that tell which range each activation takes."""

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.data import example_schema
from models.data.example_reader import read_records
from models.data.image_decoding import ImageSpec, decode_and_resize
from models.data.record_places import count_records
from models.errors import GraftError


def calibration_images(examples_uri: str, spec: ImageSpec, most: int) -> NDArray[np.uint8]:
    """Takes images of the training split, evenly spread over it.

    The first one gets a black and a white corner, so that the pixels of all reach from 0 to 255
    and an integer of the input is a pixel's value.

    Args:
        examples_uri: directory of the Examples artifact.
        spec: the model's square.
        most: images to take.

    Returns:
        uint8 [m, s, s, 3], RGB, m at most `most`.

    Raises:
        GraftError: the split is empty.
    """
    count = count_records(examples_uri, example_schema.TRAIN)
    if not count:
        raise GraftError(f"There is no training image in {examples_uri} to calibrate with.")
    taken = set(np.linspace(0, count - 1, min(most, count)).round().astype(int).tolist())
    images = [
        decode_and_resize(tf.constant(record.image), spec)
        for place, record in enumerate(read_records(examples_uri, example_schema.TRAIN))
        if place in taken
    ]
    pixels = np.rint(np.stack(images)).astype(np.uint8)
    pixels[0, 0, 0], pixels[0, -1, -1] = 0, 255
    return pixels
