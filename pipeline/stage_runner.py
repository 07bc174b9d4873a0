"""Runs the stages of the pipeline and notes how each went."""

import logging
import time

import ml_metadata as mlmd

from components.past_searches.stored_histories import EMPTY, history_file
from models.errors import GraftError
from models.history.share import share_history
from models.search.images_beside import write_beside
from models.storage.locations import join
from pipeline import dag
from pipeline.champion_check import check_champion
from pipeline.config import Config
from pipeline.failure import disk_error
from pipeline.interrupts import Interrupts
from pipeline.library_versions import versions
from pipeline.local_runner import StageResult, run_pipeline
from pipeline.metadata_place import place_of
from pipeline.node_names import PUBLISHER, RESOLVERS, SEARCH
from pipeline.outcome import ARTIFACT_KEYS
from pipeline.recovery import recover
from pipeline.report.artifact_reader import read_images_beside
from pipeline.report.run_record import RunRecord, StageRecord
from pipeline.report.stage_notes import findings_lines, stage_note
from pipeline.terminal.display import Display
from pipeline.time_limit import OutOfTime, TimeLimit
from pipeline.workspace import Workspace

_log = logging.getLogger(__name__)


def run_stages(
    config: Config, workspace: Workspace, record: RunRecord, display: Display, limit: TimeLimit
) -> None:
    """Runs the stages that the record asks for, or up to the first that fails.

    Args:
        config: the effective configuration.
        workspace: held by this process.
        record: stages and artifacts are added to it as they come.
        display: told of each stage.
        limit: on the time, which runs already.

    Raises:
        OutOfTime: the time is over.
        GraftError: a stage refused to go on, with a message for the user.
        Exception: a stage failed for a reason that it did not foresee.
    """
    # TFX may come to it through a link, which has to lead somewhere.
    workspace.artifacts.mkdir(exist_ok=True)
    recovered = recover(workspace)
    if stopped := recovered.interrupted:
        display.say(f"An earlier run was stopped in {', '.join(stopped)}; going on from there.")
    check_champion(config, workspace)
    record.versions = versions()
    watch = _Watch(config, workspace, record, display)
    for text in recovered.damaged:
        watch.note(text)
    try:
        with Interrupts() as interrupts:
            records = place_of(workspace).connection(writes=True)
            pipeline = dag.build_pipeline(config, records)
            with limit.even_if_wrapped():
                for result in run_pipeline(pipeline, record.run_id, watch.started, record.until):
                    watch.ended(result)
                    _share(config, result, display)
                    interrupts.check()
                    limit.check()
    except mlmd.errors.StatusError as error:
        watch.failed()
        if disk_error(error) is not None:
            raise
        raise place_of(workspace).unreadable(error) from error
    except OutOfTime:
        watch.failed("stopped")
        raise
    except BaseException:
        watch.failed()
        raise
    finally:
        place_of(workspace).end_writing()


def _share(config: Config, result: StageResult, display: Display) -> None:
    """Copies the history of the search to where a team keeps them, cached or not."""
    if not config.knowledge.share or result.name != SEARCH:
        return
    if EMPTY in result.properties["history"]:
        return
    try:
        share_history(history_file(result.outputs["history"]), config.knowledge.share)
    except GraftError as error:
        # A bucket that cannot be reached is no reason to lose a run.
        _log.exception("the history was not shared")
        display.say(f"The history was not shared: {error}. The next run tries again.")


class _Watch:
    """Follows the run for the record and the display."""

    def __init__(
        self, config: Config, workspace: Workspace, record: RunRecord, display: Display
    ) -> None:
        self._publish = config.serving.publish
        self._images_beside = workspace.images_beside
        self._columns = len(config.data.further_labels)
        self._record = record
        self._display = display
        self._running = ""
        self._begin = time.monotonic()

    def started(self, name: str) -> None:
        _log.info("stage %s started", name)
        if name == SEARCH:
            write_beside(self._images_beside, read_images_beside(self._record, self._columns))
        self._running = name
        self._begin = time.monotonic()
        self._display.stage_started(name)

    def ended(self, result: StageResult) -> None:
        _log.info(
            "stage %s ended in %.2f s, cached: %s", result.name, result.seconds, result.cached
        )
        if result.name not in RESOLVERS:
            self._record.stages.append(StageRecord(result.name, result.seconds, result.cached))
        for key, known_as in ARTIFACT_KEYS.get(result.name, {}).items():
            if key in result.outputs:
                self._record.artifacts[known_as] = result.outputs[key]
        self._running = ""
        self._note_push(result)
        if result.name == PUBLISHER and self._record.version is not None:
            self._record.published_to = join(self._publish, str(self._record.version))
        note = stage_note(result.name, self._record)
        self._display.stage_ended(result.name, result.seconds, cached=result.cached, note=note)
        if "findings" in result.outputs:
            known_as = ARTIFACT_KEYS[result.name]["findings"]
            for line in findings_lines(self._record, known_as):
                self._display.say(line)
        for uri in result.damaged:
            self.note(f"{uri} was damaged and was made again.")

    def note(self, text: str) -> None:
        """Tells what the run had to mend, now and in the report."""
        _log.warning("%s", text)
        self._record.repairs.append(text)
        self._display.say(text)

    def _note_push(self, result: StageResult) -> None:
        pushed = result.properties.get("pushed_model", {})
        if pushed.get("pushed"):
            self._record.pushed_to = str(pushed["pushed_destination"])
            self._record.version = int(pushed["pushed_version"])

    def failed(self, state: str = "failed") -> None:
        if self._running:
            seconds = time.monotonic() - self._begin
            self._record.stages.append(StageRecord(self._running, seconds, state=state))
            self._display.stage_failed(self._running)
