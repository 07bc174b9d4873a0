"""`graft worker`: trains for a search that a run on another machine serves."""

from pathlib import Path

from components.code_fingerprint import code_fingerprint
from models import progress
from models.search.workers.served_search import read_served
from models.search.workers.signature import read_secret
from pipeline.terminal.quiet import import_tensorflow


def work(folder: Path, timeout: int, secret_file: str = "") -> int:
    """Makes trials until the search has ended.

    Args:
        folder: of the search.
        timeout: seconds for which a run that does not answer is waited for.
        secret_file: holds the run's secret; empty for none.

    Returns:
        The exit code, 0.

    Raises:
        UsageError: no search is served there, or one of another Graft; or there is no secret in
            the file.
        GraftError: the run does not answer.
    """
    secret = read_secret(secret_file)
    address = read_served(folder).address
    # Imported here: TensorFlow takes seconds, and a mistyped folder shows at once.
    import_tensorflow()
    from models.search.workers import search_worker
    from models.training.device import prepare_device

    prepare_device()
    print(f"Joining the search that is served at {address}.", flush=True)
    with progress.listening(_print):
        made = search_worker.work(
            folder, code=code_fingerprint("components.tuner"), timeout=timeout, secret=secret
        )
    print(f"The search has ended. {made} of its trainings were made here.")
    return 0


def _print(told: progress.Progress) -> None:
    print(f"{told.done} {told.unit} made", flush=True)
