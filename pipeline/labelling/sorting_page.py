"""The page on which a person corrects what was sorted, and takes the corrected manifest away."""

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from models.zero_shot.meanings import Meaning
from pipeline.answers import name_in_utf8
from pipeline.labelling.sorted_image import SortedImage
from pipeline.report.environment import environment


def write_page(
    folder: Path,
    meanings: Sequence[Meaning],
    images: Sequence[SortedImage],
    labels: Sequence[str],
    file_name: str,
) -> bytes:
    """Makes the page, which needs nothing from outside.

    Args:
        folder: that was sorted, for the title.
        meanings: of all classes.
        images: sorted ones; those without a picture only go into the manifest.
        labels: to choose from.
        file_name: of the manifest that the page gives.
    """
    environment_ = environment()
    # As it is: a script is no place for escapes, and only this one may run.
    script = environment_.get_template("sorting.js").render()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    shown = sorted(
        ((number, each) for number, each in enumerate(images) if each.picture), key=_confidence
    )
    groups = [
        (label, [pair for pair in shown if pair[1].is_labelled and pair[1].label == label])
        for label in labels
    ]
    page = environment_.get_template("sorting.html.j2").render(
        folder=name_in_utf8(folder),
        meanings=meanings,
        labels=labels,
        groups=[(label, pairs) for label, pairs in groups if pairs],
        rest=[pair for pair in shown if not pair[1].is_labelled],
        unseen=len(images) - len(shown),
        # Not in attributes, where HTML would change the ends of lines in a name.
        rows=[
            [str(each.path), each.label if each.is_labelled else "", f"{each.confidence:.3f}"]
            for each in images
        ],
        images=len(images),
        labelled=sum(each.is_labelled for each in images),
        file_name=file_name,
        script=Markup(script),
        digest=digest,
    )
    return page.encode("utf-8", "backslashreplace")


def _confidence(numbered: tuple[int, SortedImage]) -> float:
    return numbered[1].confidence
