"""The `graft` command. Imports little at the top, so that `graft --help` answers at once."""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.errors import GraftError, UsageError
from models.numerics import compute_with_onednn
from pipeline.gateway_flags import add_gateway_flags, add_rollout_flags

if TYPE_CHECKING:
    from pipeline.config import Config
    from pipeline.served_model import Served

_EXIT_CODES = """exit codes:
  0  pushed (or the command did what it says)
  1  failure: the message says what failed, the log file has the rest
  2  bad usage: a flag, a configuration key or value, a missing file
  3  bad data: nothing to train on, refused by validation, or an image not to be classified
  4  not blessed: the model was trained, but is not good enough to be pushed
  5  busy: another run holds the workspace
  130  interrupted with Ctrl-C; the same command goes on from there
"""

_HIGHEST_PORT = 65535
_HIGHEST_COUNT = 100_000
_TRACEBACK = "GRAFT_TRACEBACK"

_OVERRIDES = {
    "data": "data.path",
    "workspace": "workspace",
    "seed": "seed",
    "backbone": "model.backbone",
    "weights": "model.weights",
    "image_size": "model.image_size",
    "trials": "tuning.trials",
    "strategy": "training.strategy",
    "epochs": "training.epochs",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    compute_with_onednn()
    options = _parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # File names hold anything, JSON is UTF-8, and neither may end a command.
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except GraftError as error:
        print(f"graft: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("graft: interrupted. The same command goes on from here.", file=sys.stderr)
        _forget_interrupt()
        return 130
    except BrokenPipeError:
        # Who read the output has gone. Python would try once more to write it, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if _TRACEBACK in os.environ:
            raise
        print(f"graft: {_unforeseen(error)}", file=sys.stderr)
        return 1
    return code


def _forget_interrupt() -> None:
    """Lets the process end with the exit code of `main`.

    CPython notes a KeyboardInterrupt that goes through `exec` of a text, as `dataclass` and
    `namedtuple` use it. A process that was started with `-m` then kills itself by SIGINT at its
    end, whatever was caught. The next `exec` forgets it.
    """
    exec("")  # noqa: S102 - an empty text


def _unforeseen(error: Exception) -> str:
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}"
    return (
        f"unexpected {type(error).__name__}: {error}. This is a fault of Graft's; with "
        f"{_TRACEBACK}=1 in the environment the same command shows where it lies."
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="graft",
        description="From a folder of labelled images to a model behind a TF Serving API.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = _command(commands, "run", _run, "train, evaluate and push a model from labelled images")
    _add_config_flags(run)
    run.add_argument("--json", action="store_true", help="print summary.json alone on stdout")
    run.add_argument("--wait", action="store_true", help="wait for another run on the workspace")

    demo = _command(commands, "demo", _demo, "the main job on scikit-learn's handwritten digits")
    demo.add_argument("--workspace", default="graft-workspace", help="folder for all that is made")

    init = _command(commands, "init", _init, "write a commented configuration file")
    init.add_argument("file", nargs="?", default="graft.yaml", type=Path)

    config = _command(commands, "config", _config, "show the effective configuration")
    _add_config_flags(config)

    runs = _command(commands, "runs", _runs, "list the runs of a workspace")
    _add_workspace(runs)

    report = _command(commands, "report", _report, "print the path of a run's report")
    _add_workspace(report)
    report.add_argument("run_id", nargs="?", help="default: the latest run")

    _add_knowledge(commands)

    worker = _command(commands, "worker", _worker, "make trials of a search that a run serves")
    worker.add_argument("folder", type=Path, help="of the search, as the run names it")
    worker.add_argument(
        "--timeout",
        type=_count,
        default=60,
        metavar="SECONDS",
        help="give up when the run does not answer for so long (default 60)",
    )

    predict = _command(commands, "predict", _predict, "classify images with the pushed model")
    _add_workspace(predict)
    predict.add_argument(
        "images", nargs="+", type=Path, metavar="IMAGE", help="a file, or a folder to be walked"
    )
    predict.add_argument("--url", help="REST address of a running server, such as localhost:8501")
    predict.add_argument("--grpc", help="gRPC address of a running server, such as localhost:8500")
    form = predict.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print a JSON object for each image")
    form.add_argument("--csv", action="store_true", help="print a line of CSV for each image")

    serve = _command(commands, "serve", _serve, "serve the pushed model over REST and gRPC")
    _add_workspace(serve)
    serve.add_argument("--port", type=_port, default=8500, help="gRPC port (default 8500)")
    serve.add_argument("--rest-port", type=_port, default=8501, help="REST port (default 8501)")
    serve.add_argument("--host", default="127.0.0.1", help="address to bind (default 127.0.0.1)")
    serve.add_argument(
        "--embedded",
        action="store_true",
        help="Graft's own server, even where Docker could run the official TensorFlow Serving",
    )
    _add_production(commands)
    return parser


def _add_production(commands: Any) -> None:
    about = "put nginx in front of the model server, and roll new versions out"
    gateway = _command(commands, "gateway", _gateway, about)
    add_gateway_flags(gateway, _port)
    about = "try the newest version on some of the requests, and promote it or roll it back"
    rollout = _command(commands, "rollout", _rollout, about)
    add_rollout_flags(rollout)
    promote = _command(commands, "promote", _promote, "make the version on trial the stable one")
    rollback = _command(commands, "rollback", _rollback, "take the version on trial away")
    about = "write compose and Kubernetes files for the official TensorFlow Serving image"
    deploy = _command(commands, "deploy", _deploy, about)
    deploy.add_argument("folder", type=Path, help="to write them to")
    deploy.add_argument("--gpu", action="store_true", help="for NVIDIA GPUs")
    for parser in (gateway, rollout, promote, rollback, deploy):
        _add_workspace(parser)


def _add_knowledge(commands: Any) -> None:
    about = "look after the histories that searches learn from"
    parser = commands.add_parser("knowledge", help=about, description=about)
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    about = "list every history that the next run would learn from"
    listing = _command(actions, "list", _knowledge_list, about)
    show = _command(actions, "show", _knowledge_show, "show one history")
    show.add_argument("history", help="its number or name, as the list shows them")
    about = "copy all histories to a folder or a bucket, or one to a file for Optuna"
    export = _command(actions, "export", _knowledge_export, about)
    export.add_argument("target", help="folder, or a URI such as gs://bucket/folder; or the file")
    export.add_argument(
        "--as",
        dest="form",
        choices=("graft", "optuna"),
        default="graft",
        help="optuna: JSON of one history's trials, the best first, for study.enqueue_trial",
    )
    export.add_argument("--history", metavar="WHICH", help="its number, name or file, for optuna")
    about = "copy histories, or pasts of other tuners, into the workspace"
    importing = _command(actions, "import", _knowledge_import, about)
    importing.add_argument(
        "source",
        help="file, folder, or a URI such as gs://bucket/folder, of Graft's histories; or what "
        "Keras Tuner, Optuna (SQLite), Ray Tune, Hyperopt (JSON) or MLflow left, or a CSV table",
    )
    _add_foreign(importing)
    about = "forget histories of this workspace's runs, and imported ones"
    prune = _command(actions, "prune", _knowledge_prune, about)
    which = prune.add_argument_group("which (at least one)")
    which.add_argument("--older-than", type=_count, metavar="DAYS", help="older than that")
    which.add_argument("--keep", type=_count, metavar="N", help="all but the N newest")
    for action in (export, importing):
        action.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="OLD=NEW",
            help="another name for a hyperparameter of another tuner; OLD= leaves it out",
        )
    for action in (listing, show, export, importing, prune):
        _add_workspace(action)


def _add_foreign(importing: argparse.ArgumentParser) -> None:
    group = importing.add_argument_group("of another tuner's past, where it does not say itself")
    group.add_argument(
        "--kind",
        help="graft, keras-tuner, optuna, ray, hyperopt, mlflow or csv; found out if not given",
    )
    group.add_argument("--metric", help="name of the score")
    group.add_argument("--direction", choices=("max", "min"), help="which way it is better")


def _command(commands: Any, name: str, run: Any, about: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=about, description=about)
    parser.set_defaults(run=run)
    return parser


def _add_workspace(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workspace", help="folder that holds the runs (default graft-workspace)")
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration file")


def _add_config_flags(parser: argparse.ArgumentParser) -> None:
    _add_workspace(parser)
    parser.add_argument("--data", help="folder per class, manifest, or .tfrecord files")
    parser.add_argument("--seed", type=int, help="of the split, the search and the training")
    parser.add_argument("--backbone", help="EfficientNetLite0 or a Keras Applications model")
    parser.add_argument("--weights", help="imagenet, none, or the path of a weights file")
    parser.add_argument("--image-size", type=int, help="side in pixels")
    parser.add_argument("--trials", type=int, help="trials of the search")
    parser.add_argument("--strategy", help="auto, feature_extraction or fine_tune")
    parser.add_argument("--epochs", type=int, help="most fine-tuning epochs")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="any other key, such as --set evaluation.min_accuracy=0.9",
    )


def _port(text: str) -> int:
    if text.isdecimal() and int(text) <= _HIGHEST_PORT:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a port, 0 to {_HIGHEST_PORT}; got {text!r}")


def _count(text: str) -> int:
    if text.isdecimal() and int(text) <= _HIGHEST_COUNT:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a number, 0 to {_HIGHEST_COUNT}; got {text!r}")


def _effective(options: argparse.Namespace) -> "Config":
    from pipeline.config_file import load_config, parse_assignment

    overrides: dict[str, Any] = {
        key: getattr(options, flag)
        for flag, key in _OVERRIDES.items()
        if getattr(options, flag, None) is not None
    }
    overrides.update(parse_assignment(item) for item in getattr(options, "set", []))
    return load_config(options.config, overrides)


def _run(options: argparse.Namespace) -> int:
    from pipeline.preflight import check
    from pipeline.run import print_refusal, run

    try:
        config = _effective(options)
        check(config)
        return run(config, wait=options.wait, as_json=options.json)
    except (Exception, KeyboardInterrupt) as error:
        if options.json:
            print_refusal(str(error) or "The run was interrupted.")
        raise


def _demo(options: argparse.Namespace) -> int:
    from pipeline.demo import demo

    return demo(Path(options.workspace).absolute())


def _init(options: argparse.Namespace) -> int:
    from pipeline.config_file import commented_default

    try:
        with options.file.open("x", encoding="utf-8") as file:
            file.write(commented_default())
    except FileExistsError:
        raise UsageError(f"{options.file} exists already; it was left as it is.") from None
    except OSError as error:
        raise UsageError(f"{options.file} cannot be written: {error.strerror}.") from None
    print(f"Wrote {options.file}. Set data.path in it, then: graft run --config {options.file}")
    return 0


def _config(options: argparse.Namespace) -> int:
    from pipeline.config_file import as_yaml

    print(as_yaml(_effective(options)), end="")
    return 0


def _runs(options: argparse.Namespace) -> int:
    from pipeline.past_runs import print_runs

    return print_runs(_effective(options))


def _report(options: argparse.Namespace) -> int:
    from pipeline.past_runs import print_report

    return print_report(_effective(options), options.run_id)


def _knowledge_list(options: argparse.Namespace) -> int:
    from pipeline.knowledge.print_histories import print_list

    return print_list(_effective(options))


def _knowledge_show(options: argparse.Namespace) -> int:
    from pipeline.knowledge.print_histories import print_history

    return print_history(_effective(options), options.history)


def _knowledge_export(options: argparse.Namespace) -> int:
    from pipeline.knowledge.other_tuners import export_to_optuna
    from pipeline.knowledge.transfer import export_all

    if options.form == "optuna":
        if not options.history:
            raise UsageError("Say which history, with --history and what the list shows.")
        names = tuple(options.map)
        return export_to_optuna(_effective(options), options.history, options.target, names)
    if options.history or options.map:
        raise UsageError("--history and --map are for one history alone: --as optuna.")
    return export_all(_effective(options), options.target)


def _knowledge_import(options: argparse.Namespace) -> int:
    from pipeline.knowledge.other_tuners import Said, import_foreign, is_foreign
    from pipeline.knowledge.transfer import import_from

    said = Said(options.kind, options.metric, options.direction, tuple(options.map))
    if is_foreign(options.source, said.kind):
        return import_foreign(_effective(options), options.source, said)
    return import_from(_effective(options), options.source)


def _knowledge_prune(options: argparse.Namespace) -> int:
    from pipeline.knowledge.prune import prune

    if options.older_than is None and options.keep is None:
        raise UsageError("Say which histories to forget, with --older-than DAYS or --keep N.")
    return prune(_effective(options), older_than=options.older_than, keep=options.keep)


def _worker(options: argparse.Namespace) -> int:
    from pipeline.worker_command import work

    return work(options.folder, options.timeout)


def _served(options: argparse.Namespace) -> "Served":
    from pipeline.served_model import served

    return served(_effective(options), options.config is not None)


def _predict(options: argparse.Namespace) -> int:
    from pipeline.answers import Form
    from pipeline.predict_command import Servers, predict

    form: Form = "json" if options.json else "csv" if options.csv else "text"
    return predict(_served(options), options.images, Servers(options.url, options.grpc), form)


def _serve(options: argparse.Namespace) -> int:
    from pipeline.official_server import serve

    model = _served(options)
    return serve(model, options.host, options.port, options.rest_port, options.embedded)


def _deploy(options: argparse.Namespace) -> int:
    from pipeline.deployment.files import write_deployment

    model = _served(options)
    return write_deployment(options.folder, model.name, model.directory, options.gpu)


def _gateway(options: argparse.Namespace) -> int:
    from pipeline.gateway_command import gateway, gateway_folder
    from pipeline.gateway_flags import gateway_settings

    model = _served(options)
    settings = gateway_settings(options, model.name)
    base_path = options.base_path or str(model.directory)
    return gateway(settings, gateway_folder(_effective(options)), base_path)


def _rollout(options: argparse.Namespace) -> int:
    from pipeline.gateway_command import Trial, gateway_folder, rollout

    trial = Trial(options.version, options.canary, options.copies)
    return rollout(_served(options), gateway_folder(_effective(options)), trial)


def _promote(options: argparse.Namespace) -> int:
    from pipeline.gateway_command import gateway_folder, promote

    return promote(gateway_folder(_effective(options)))


def _rollback(options: argparse.Namespace) -> int:
    from pipeline.gateway_command import gateway_folder, roll_back

    return roll_back(gateway_folder(_effective(options)))


if __name__ == "__main__":
    sys.exit(main())
