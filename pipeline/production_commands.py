"""The commands that bring the pushed model into production: servers, gateway, rollout."""

import argparse
from pathlib import Path
from typing import Any

from models.listening import bare_host
from pipeline.command_line import (
    add_workspace,
    command,
    count,
    day,
    effective,
    local_path,
    port,
    served,
)
from pipeline.gateway_flags import add_gateway_flags, add_rollout_flags
from pipeline.watching_commands import add_watching_commands

_SCHEDULERS = ("cron", "systemd", "kubernetes", "airflow", "kubeflow")


def add_production_commands(commands: Any) -> None:
    """Declares the commands.

    Args:
        commands: subparsers of `graft`.
    """
    serve = command(commands, "serve", _serve, "serve the pushed model over REST and gRPC")
    serve.add_argument("--port", type=port, default=8500, help="gRPC port (default 8500)")
    serve.add_argument("--rest-port", type=port, default=8501, help="REST port (default 8501)")
    serve.add_argument(
        "--host", type=bare_host, default="127.0.0.1", help="address to bind (default 127.0.0.1)"
    )
    serve.add_argument(
        "--embedded",
        action="store_true",
        help="Graft's own server, even where Docker could run the official TensorFlow Serving",
    )
    about = "put nginx in front of the model server, and roll new versions out"
    gateway = command(commands, "gateway", _gateway, about)
    add_gateway_flags(gateway)
    about = "try the newest version on some of the requests, and promote it or roll it back"
    rollout = command(commands, "rollout", _rollout, about)
    add_rollout_flags(rollout)
    promote = command(commands, "promote", _promote, "make the version on trial the stable one")
    rollback = command(commands, "rollback", _rollback, "take the version on trial away")
    about = "write compose and Kubernetes files for the official TensorFlow Serving image"
    deploy = command(commands, "deploy", _deploy, about)
    deploy.add_argument("folder", type=local_path, help="to write them to")
    deploy.add_argument("--gpu", action="store_true", help="for NVIDIA GPUs")
    about = "copy a pushed version to object storage, as a run does with serving.publish"
    publish = command(commands, "publish", _publish, about)
    publish.add_argument("version", nargs="?", type=count, help="default: the newest")
    publish.add_argument("--to", metavar="URI", help="default: serving.publish of the run")
    add_watching_commands(commands)
    for parser in (serve, gateway, rollout, promote, rollback, deploy, publish):
        add_workspace(parser)
    _add_schedule(commands)


def _add_schedule(commands: Any) -> None:
    about = "write the files with which a scheduler starts runs again and again"
    schedule = command(commands, "schedule", _schedule, about)
    schedule.add_argument(
        "--every",
        required=True,
        metavar="WHEN",
        help='such as "day at 03:30", "monday at 04:00", 6h, or the five fields of cron',
    )
    schedule.add_argument("--as", dest="form", required=True, choices=_SCHEDULERS)
    schedule.add_argument(
        "--config", type=local_path, required=True, metavar="FILE", help="configuration of the runs"
    )
    schedule.add_argument(
        "--out",
        type=local_path,
        default=Path("schedule"),
        metavar="FOLDER",
        help="default: schedule",
    )
    schedule.add_argument("--timezone", default="", help="such as Europe/Berlin")
    schedule.add_argument(
        "--image", default="", help="of Graft, in your registry, for Kubernetes and Kubeflow"
    )
    schedule.add_argument(
        "--name",
        default="graft",
        help="of the objects in Kubernetes, the DAG in Airflow, the pipeline in Kubeflow, and the "
        "files of cron, systemd and Airflow: another one for each configuration (default: graft)",
    )
    schedule.add_argument("--gpu", action="store_true", help="ask Kubernetes for an NVIDIA GPU")
    schedule.add_argument(
        "--since",
        type=day,
        metavar="DAY",
        help="such as 2026-11-23: the first day that Airflow makes up for (default: today)",
    )


def _schedule(options: argparse.Namespace) -> int:
    from pipeline.scheduling.recurrence import parse_every
    from pipeline.scheduling.schedule_files import ScheduledRun, write_schedule

    run = ScheduledRun(
        config=effective(options),
        config_file=options.config,
        recurrence=parse_every(options.every),
        timezone=options.timezone,
        name=options.name,
        image=options.image,
        gpu=options.gpu,
        since=options.since,
    )
    return write_schedule(run, options.form, options.out)


def _serve(options: argparse.Namespace) -> int:
    from pipeline.official_server import serve
    from pipeline.request_log import request_log
    from pipeline.server_place import Place
    from pipeline.workspace import Workspace
    from serving.server.leave import leave

    model, workspace = served(options), Workspace.of(effective(options))
    log = request_log(workspace, model.monitoring)
    place = Place(options.host, options.port, options.rest_port)
    leave(serve(model, place, options.embedded, workspace.gateway, log))


def _deploy(options: argparse.Namespace) -> int:
    from pipeline.deployment.files import write_deployment

    model = served(options)
    return write_deployment(options.folder, model.name, model.directory, options.gpu)


def _publish(options: argparse.Namespace) -> int:
    from pipeline.publish_command import publish_version

    target = ""
    if options.to:
        target = effective(options, {"serving.publish": options.to}).serving.publish
    return publish_version(served(options), options.version, target)


def _gateway(options: argparse.Namespace) -> int:
    from pipeline.gateway_command import gateway
    from pipeline.gateway_flags import gateway_settings
    from pipeline.request_log import gateway_log
    from pipeline.workspace import Workspace

    model, workspace = served(options), Workspace.of(effective(options))
    settings = gateway_settings(options, model.name, workspace.health_page)
    base_path = options.base_path or str(model.directory)
    watched = None
    if options.log_requests:
        watched = gateway_log(settings, model, workspace)
    return gateway(settings, workspace.gateway, base_path, watched)


def _rollout(options: argparse.Namespace) -> int:
    from pipeline.gateway_command import Trial, rollout
    from pipeline.workspace import Workspace

    trial = Trial(options.version, options.canary, options.copies)
    return rollout(served(options), Workspace.of(effective(options)).gateway, trial)


def _promote(options: argparse.Namespace) -> int:
    from pipeline.gateway_command import promote
    from pipeline.workspace import Workspace

    return promote(Workspace.of(effective(options)).gateway)


def _rollback(options: argparse.Namespace) -> int:
    from pipeline.gateway_command import roll_back
    from pipeline.workspace import Workspace

    return roll_back(Workspace.of(effective(options)).gateway)
