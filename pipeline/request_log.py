"""Where a workspace keeps the log of requests, and what its server logs."""

from typing import TYPE_CHECKING

from models.observation.monitoring_settings import MonitoringSettings
from pipeline.served_model import Served
from pipeline.workspace import Workspace

if TYPE_CHECKING:  # pyarrow comes with it, which most commands do without
    from serving.gateway.settings import GatewaySettings
    from serving.request_log.settings import RequestLogSettings
    from serving.rollout.gateway_log import Watched


def request_log(workspace: Workspace, settings: MonitoringSettings) -> "RequestLogSettings | None":
    """What `graft serve` logs of requests; None for nothing."""
    from serving.request_log.settings import RequestLogSettings

    if not settings.log_requests:
        return None
    return RequestLogSettings(
        folder=workspace.requests,
        sample_rate=settings.sample_rate,
        keep_images=settings.keep_images,
        keep_days=settings.keep_days,
        keep_bytes=settings.keep_mib * 2**20,
    )


def gateway_log(
    settings: "GatewaySettings", model: Served, workspace: Workspace
) -> "Watched | None":
    """What a gateway logs of requests in place of its servers; None for nothing."""
    from serving.gateway.settings import CANARY, STABLE
    from serving.rollout.gateway_log import Watched

    log = request_log(workspace, model.monitoring)
    if log is None:
        return None
    servers = {STABLE: settings.stable.rest, CANARY: settings.canary.rest}
    return Watched(model.name, model.directory, servers, log)
