"""`graft publish`: a pushed version, to object storage."""

from components.publisher.publish import publish
from models.errors import UsageError
from pipeline.served_model import Served


def publish_version(model: Served, number: int | None, target: str) -> int:
    """Publishes a version, or finds it there.

    Args:
        model: the pushed model.
        number: of the version; None for the newest.
        target: URI of the folder of versions; empty for that of the run that pushed.

    Returns:
        The exit code.

    Raises:
        UsageError: there is no such version, or nothing says where to.
        GraftError: it cannot be published.
    """
    target = target or model.publish
    if not target:
        raise UsageError(
            "Nothing says where to: give --to, such as --to s3://bucket/models/graft, or set "
            "serving.publish."
        )
    published = publish(model.version(number), target)
    print(f"Published as {published.place}" if published.new else f"{published.place} is there.")
    return 0
