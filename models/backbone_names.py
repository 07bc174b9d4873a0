"""The backbones by name and the sizes that they take, known without the seconds of Keras."""

from dataclasses import dataclass
from typing import Final

from models.errors import UsageError
from models.spelling import did_you_mean

LITE0: Final = "EfficientNetLite0"
LITE1: Final = "EfficientNetLite1"
LITE2: Final = "EfficientNetLite2"
LEAST_SIZE: Final = 32
"""Pixels that every backbone takes a side of, but for those that need more."""


@dataclass(frozen=True, slots=True)
class Application:
    """A function of `keras.applications`.

    Attributes:
        module: where its `preprocess_input` lives.
        size: side in pixels of the images that its ImageNet weights were trained on.
        least: smallest side in pixels that it can be built for.
    """

    module: str
    size: int = 224
    least: int = LEAST_SIZE


_CONVNEXT: Final = Application("convnext")
_DENSENET: Final = Application("densenet")
_RESNET: Final = Application("resnet")
_RESNET_V2: Final = Application("resnet_v2")

LITES: Final = {
    LITE0: Application("", 224),
    LITE1: Application("", 240),
    LITE2: Application("", 260),
}
"""Backbones whose weights are in packages of their own."""

APPLICATIONS: Final = {
    "ConvNeXtTiny": _CONVNEXT,
    "ConvNeXtSmall": _CONVNEXT,
    "ConvNeXtBase": _CONVNEXT,
    "ConvNeXtLarge": _CONVNEXT,
    "ConvNeXtXLarge": _CONVNEXT,
    "DenseNet121": _DENSENET,
    "DenseNet169": _DENSENET,
    "DenseNet201": _DENSENET,
    "EfficientNetB0": Application("efficientnet", 224),
    "EfficientNetB1": Application("efficientnet", 240),
    "EfficientNetB2": Application("efficientnet", 260),
    "EfficientNetB3": Application("efficientnet", 300),
    "EfficientNetB4": Application("efficientnet", 380),
    "EfficientNetB5": Application("efficientnet", 456),
    "EfficientNetB6": Application("efficientnet", 528),
    "EfficientNetB7": Application("efficientnet", 600),
    "EfficientNetV2B0": Application("efficientnet_v2", 224),
    "EfficientNetV2B1": Application("efficientnet_v2", 240),
    "EfficientNetV2B2": Application("efficientnet_v2", 260),
    "EfficientNetV2B3": Application("efficientnet_v2", 300),
    "EfficientNetV2S": Application("efficientnet_v2", 384),
    "EfficientNetV2M": Application("efficientnet_v2", 480),
    "EfficientNetV2L": Application("efficientnet_v2", 480),
    "InceptionResNetV2": Application("inception_resnet_v2", 299, least=75),
    "InceptionV3": Application("inception_v3", 299, least=75),
    "MobileNet": Application("mobilenet"),
    "MobileNetV2": Application("mobilenet_v2"),
    "MobileNetV3Large": Application("mobilenet_v3"),
    "MobileNetV3Small": Application("mobilenet_v3"),
    "NASNetLarge": Application("nasnet", 331),
    "NASNetMobile": Application("nasnet"),
    "ResNet50": _RESNET,
    "ResNet101": _RESNET,
    "ResNet152": _RESNET,
    "ResNet50V2": _RESNET_V2,
    "ResNet101V2": _RESNET_V2,
    "ResNet152V2": _RESNET_V2,
    "VGG16": Application("vgg16"),
    "VGG19": Application("vgg19"),
    "Xception": Application("xception", 299, least=71),
}
"""By the name of the function in `keras.applications`."""


def available_backbones() -> tuple[str, ...]:
    """Names of all backbones, sorted."""
    return tuple(sorted((*LITES, *APPLICATIONS)))


def default_image_size(name: str) -> int:
    """Side in pixels of the images that a backbone was trained on.

    Raises:
        UsageError: there is no such backbone.
    """
    return _application(name).size


def check_backbone(name: str, image_size: int | None) -> None:
    """Refuses a backbone that there is not, and images that are too small for it.

    Args:
        name: of the backbone.
        image_size: side in pixels; None for its own.

    Raises:
        UsageError: names what would be right.
    """
    least = _application(name).least
    if image_size is not None and image_size < least:
        raise UsageError(
            f"{name} cannot be built for images of {image_size} x {image_size} pixels: it takes "
            f"images of at least {least} pixels"
        )


def _application(name: str) -> Application:
    known = LITES | APPLICATIONS
    if name not in known:
        names = available_backbones()
        raise UsageError(
            f"there is no backbone {name!r}.{did_you_mean(name, names)} Known: {', '.join(names)}"
        )
    return known[name]
