"""What the images of a domain look like as a whole, and other images made to look like that.

Two things are matched, both of whole domains, so that it matters little which objects are in them:

- Colours: the linear map that takes the mean and the covariance of the pixels of one domain to
  those of the other by the shortest way (F. Pitié and A. Kokaram, "The Linear Monge-Kantorovitch
  Linear Colour Mapping for Example-Based Colour Transfer", 2007, after E. Reinhard et al., "Color
  Transfer between Images", 2001).
- Sharpness and noise: the power of each fineness. Y. Yang and S. Soatto, "FDA: Fourier Domain
  Adaptation for Semantic Segmentation", 2020, exchange coarse amplitudes of single images; here
  it is the mean power of all images at each distance from the centre of the spectrum.

Finer power that is missing may be detail or noise, which the power does not tell: half of the
images have theirs raised, the others are given noise.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import fft

LEAST_IMAGES: Final = 30
"""Of a domain; the look of fewer is that of what happens to be in them."""
_LUMINANCE: Final = np.array([0.299, 0.587, 0.114], np.float32)
_MOST_RAISED: Final = 3.0
"""Times that an amplitude is raised at most."""
_SMOOTHED: Final = 5
"""Radii that are averaged."""
_FLOOR: Final = 1e-6
"""Of the greatest power, which is added to each."""
_LEAST_VARIANCE: Final = 4.0
"""Of grey values, which is added to each colour's; an image of one colour has none."""

Images = NDArray[np.float32]
Floats = NDArray[Any]


@dataclass(frozen=True)
class Likeness:
    """How images of one domain come to look like those of another.

    Attributes:
        matrix: float32 [3, 3], from colours to colours.
        offset: float32 [3], added after it.
        kept: float32 [r], share of the amplitude at each radius that is kept, at most 1.
        raised: float32 [r], times that an amplitude is raised, at least 1.
        noise: float32 [r], amplitude of the noise for those that are not raised.
    """

    matrix: Images
    offset: Images
    kept: Images
    raised: Images
    noise: Images

    def applied(self, images: Images, generator: np.random.Generator) -> Images:
        """Makes copies that look like the other domain.

        Args:
            images: float32 [n, s, s, 3], RGB in 0..255, of the size that this was found for.
            generator: of the choice between detail and noise, and of the noise.
        """
        size = images.shape[1]
        radius = _radius(size)
        spectrum = fft.rfft2(self._coloured(images), axes=(1, 2))
        spectrum *= self.kept[radius][None, :, :, None]
        is_raised = generator.random(len(images)) < 0.5
        spectrum[is_raised] *= self.raised[radius][None, :, :, None]
        count = int(np.count_nonzero(~is_raised))
        grain = generator.standard_normal((count, size, size, 1), np.float32)
        spectrum[~is_raised] += (
            fft.rfft2(grain, axes=(1, 2)) * self.noise[radius][None, :, :, None] / size
        )
        changed = fft.irfft2(spectrum, s=(size, size), axes=(1, 2))
        return np.clip(changed, 0.0, 255.0).astype(np.float32)

    def _coloured(self, images: Images) -> Images:
        return np.clip(images @ self.matrix + self.offset, 0.0, 255.0)


def find_likeness(ours: Images, theirs: Images) -> Likeness:
    """Compares two domains.

    Args:
        ours: images to be changed, float32 [n, s, s, 3], RGB in 0..255; some hundreds are enough.
        theirs: images of the other domain, float32 [m, s, s, 3].
    """
    size = ours.shape[1]
    (mean, covariance), (other_mean, other_covariance) = _colours(ours), _colours(theirs)
    half, back = _power(covariance, 0.5), _power(covariance, -0.5)
    matrix = back @ _power(half @ other_covariance @ half, 0.5) @ back
    offset = other_mean - mean @ matrix
    untouched = np.ones(size // 2 + 1, np.float32)
    colours = Likeness(
        matrix.astype(np.float32), offset.astype(np.float32), untouched, untouched, 0 * untouched
    )
    power, other_power = _radial(colours._coloured(ours)), _radial(theirs)
    floor = _FLOOR * power.max() + np.finfo(np.float32).tiny
    ratio = np.sqrt((other_power + floor) / (power + floor))
    ratio[0] = 1.0
    ratio[1:] = _smooth(ratio[1:])
    kept = np.minimum(ratio, 1.0)
    missing = np.maximum(other_power - power * kept**2, 0.0)
    missing[0] = 0.0
    return Likeness(
        colours.matrix,
        colours.offset,
        kept.astype(np.float32),
        np.clip(ratio, 1.0, _MOST_RAISED).astype(np.float32),
        np.sqrt(missing).astype(np.float32),
    )


def _colours(images: Images) -> tuple[Floats, Floats]:
    pixels = images[:, ::2, ::2].reshape(-1, 3).astype(np.float64)
    return pixels.mean(axis=0), np.cov(pixels.T) + _LEAST_VARIANCE * np.eye(3)


def _power(covariance: Floats, exponent: float) -> Floats:
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.maximum(values, 1e-9) ** exponent) @ vectors.T


def _radius(size: int) -> NDArray[np.intp]:
    """Distance of each place of a spectrum [s, s // 2 + 1] from its centre, in whole steps."""
    down, right = np.meshgrid(fft.fftfreq(size), fft.rfftfreq(size), indexing="ij")
    return np.minimum(np.rint(np.hypot(down, right) * size).astype(np.intp), size // 2)


def _radial(images: Images) -> Floats:
    """Mean power of the luminance at each radius; that of white noise of variance 1 is s²."""
    size = images.shape[1]
    window = np.hanning(size + 2)[1:-1].astype(np.float32)
    grey = images @ _LUMINANCE
    grey -= grey.mean(axis=(1, 2), keepdims=True)
    spectrum = fft.rfft2(grey * window[:, None] * window, axes=(1, 2))
    power = (np.abs(spectrum) ** 2).mean(axis=0, dtype=np.float64) / (window**2).mean() ** 2
    radius = _radius(size).ravel()
    return np.bincount(radius, power.ravel()) / np.bincount(radius)


def _smooth(ratio: Floats) -> Floats:
    """Mean of the logarithms of neighbours."""
    wide = np.pad(np.log(ratio), _SMOOTHED // 2, "edge")
    return np.exp(np.convolve(wide, np.full(_SMOOTHED, 1 / _SMOOTHED), "valid"))
