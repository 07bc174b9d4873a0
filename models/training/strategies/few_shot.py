"""Few images a class: the discriminant head, fitted to every labelled image.

A validation split of a few images is worth more in the fit than in a choice: the form of the head
is found by cross-validation, so that validation images can be learned from in the end.
"""

from typing import Final

from models.head import discriminant
from models.head.evidence import answers_of
from models.head.head_model import build_head, standardised, statistics
from models.training.strategies.strategy import Arm, Situation


class FewShot:
    """See `models.head.discriminant`."""

    name: Final = "few-shot head"
    # Of 27 draws of 5, 10 and 20 images a class it was worse than the linear head in 3, by at most
    # 1.1 points (`benchmarks/strategies/run.py`); ten validation images tell hardly anything.
    least_confidence: Final = 0.1

    def reason(self, situation: Situation) -> str:
        """With at most `training.few_shot_images` images a class.

        Not where most classes are known: the earlier model learned from more images than are here.
        """
        if not situation.is_few_shot or situation.knows_most:
            return ""
        images, most = situation.images_a_class, situation.settings.few_shot_images
        return f"{images:g} labelled images in the middle class are at most {most}"

    def arm(self, situation: Situation) -> Arm:
        """Chooses the form, and fits it twice: for its answers, and for the export."""
        labelled, count = situation.task.labelled, situation.task.classes
        mean, variance = statistics(labelled.embeddings)
        rows = standardised(labelled.embeddings, mean, variance)
        choice = discriminant.choose(rows, labelled.classes, count)
        border = len(situation.task.train.classes)
        kernel, bias = discriminant.fit(rows[:border], labelled.classes[:border], count, choice)
        held = rows[border:]
        if choice.form.unit_length:
            held = discriminant.unit_rows(held)
        answers = answers_of(held @ kernel + bias, situation.task.validation.classes)
        head = build_head(
            len(mean), count, mean=mean, variance=variance, unit_length=choice.form.unit_length
        )
        head.get_layer("logits").set_weights(
            [*discriminant.fit(rows, labelled.classes, count, choice)]
        )
        return Arm(head, answers, f"{choice.form}, fitted to all {len(rows)} labelled images")
