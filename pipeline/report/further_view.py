"""The report's section on further label columns."""

from dataclasses import dataclass

from pipeline.report.artifacts import Artifacts, Json

_MOST_CLASSES = 30


@dataclass(frozen=True)
class FurtherColumn:
    """One column.

    Attributes:
        name: of the column.
        labelled: how many images have a label there, in words; empty where nobody counted.
        training: `training.json`'s figures of its head; empty where there is none.
        judged: its figures on the test split, as `components.judge.further_columns.ColumnResult`;
            empty where it was not judged.
        classes: figures of each class, lowest recall first; at most 30.
    """

    name: str
    labelled: str
    training: Json
    judged: Json
    classes: list[Json]


def further_view(found: Artifacts) -> list[FurtherColumn]:
    """Builds the section; empty where no further column was asked for."""
    counts = {each["column"]: each for each in found.further_labels}
    training = {each["column"]: each for each in found.training.get("further_labels", [])}
    judged = {each["column"]: each for each in found.metrics.get("further_labels", [])}
    return [
        FurtherColumn(
            name=name,
            labelled=labelled_words(counts[name]) if name in counts else "",
            training=training.get(name, {}),
            judged=judged.get(name, {}),
            classes=_weakest_first(judged[name]["quality"]["classes"]) if name in judged else [],
        )
        for name in dict.fromkeys((*counts, *training, *judged))
    ]


def labelled_words(counts: Json) -> str:
    """How many images have a label in a column.

    Args:
        counts: of `components.image_validator.further_label_checks.counts`.
    """
    classes = len(counts["classes"])
    return (
        f"{counts['images']:,} of {counts['of']:,} images labelled, "
        f"in {classes:,} class{'' if classes == 1 else 'es'}"
    )


def _weakest_first(classes: list[Json]) -> list[Json]:
    ordered = sorted(classes, key=lambda each: (each["recall"] is None, each["recall"] or 0.0))
    return ordered[:_MOST_CLASSES]
