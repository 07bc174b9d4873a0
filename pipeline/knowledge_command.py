"""The command `graft knowledge`: looks after the histories that searches learn from."""

import argparse
from typing import Any

from models.errors import UsageError
from pipeline.command_line import add_workspace, command, count, effective


def add_knowledge_command(commands: Any) -> None:
    """Declares the command.

    Args:
        commands: subparsers of `graft`.
    """
    about = "look after the histories that searches learn from"
    parser = commands.add_parser("knowledge", help=about, description=about)
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    about = "list every history that the next run would learn from"
    listing = command(actions, "list", _list, about)
    show = command(actions, "show", _show, "show one history")
    show.add_argument("history", help="its number or name, as the list shows them")
    about = "copy all histories to a folder or a bucket, or one to a file for Optuna"
    export = command(actions, "export", _export, about)
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
    importing = command(actions, "import", _import, about)
    importing.add_argument(
        "source",
        help="file, folder, or a URI such as gs://bucket/folder, of Graft's histories; or what "
        "Keras Tuner, Optuna (SQLite), Ray Tune, Hyperopt (JSON) or MLflow left, or a CSV table",
    )
    _add_foreign(importing)
    about = "forget histories of this workspace's runs, and imported ones"
    prune = command(actions, "prune", _prune, about)
    which = prune.add_argument_group("which (at least one)")
    which.add_argument("--older-than", type=count, metavar="DAYS", help="older than that")
    which.add_argument("--keep", type=count, metavar="N", help="all but the N newest")
    for action in (export, importing):
        action.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="OLD=NEW",
            help="another name for a hyperparameter of another tuner; OLD= leaves it out",
        )
    for action in (listing, show, export, importing, prune):
        add_workspace(action)


def _add_foreign(importing: argparse.ArgumentParser) -> None:
    group = importing.add_argument_group("of another tuner's past, where it does not say itself")
    group.add_argument(
        "--kind",
        help="graft, keras-tuner, optuna, ray, hyperopt, mlflow or csv; found out if not given",
    )
    group.add_argument("--metric", help="name of the score")
    group.add_argument("--direction", choices=("max", "min"), help="which way it is better")


def _list(options: argparse.Namespace) -> int:
    from pipeline.knowledge.print_histories import print_list

    return print_list(effective(options))


def _show(options: argparse.Namespace) -> int:
    from pipeline.knowledge.print_histories import print_history

    return print_history(effective(options), options.history)


def _export(options: argparse.Namespace) -> int:
    from pipeline.knowledge.other_tuners import export_to_optuna
    from pipeline.knowledge.transfer import export_all

    if options.form == "optuna":
        if not options.history:
            raise UsageError("Say which history, with --history and what the list shows.")
        names = tuple(options.map)
        return export_to_optuna(effective(options), options.history, options.target, names)
    if options.history or options.map:
        raise UsageError("--history and --map are for one history alone: --as optuna.")
    return export_all(effective(options), options.target)


def _import(options: argparse.Namespace) -> int:
    from pipeline.knowledge.other_tuners import Said, import_foreign, is_foreign
    from pipeline.knowledge.transfer import import_from

    said = Said(options.kind, options.metric, options.direction, tuple(options.map))
    if is_foreign(options.source, said.kind):
        return import_foreign(effective(options), options.source, said)
    return import_from(effective(options), options.source)


def _prune(options: argparse.Namespace) -> int:
    from pipeline.knowledge.prune import prune

    if options.older_than is None and options.keep is None:
        raise UsageError("Say which histories to forget, with --older-than DAYS or --keep N.")
    return prune(effective(options), older_than=options.older_than, keep=options.keep)
