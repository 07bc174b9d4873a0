"""The peers' side of the protocol. Standard library only: it runs in every peer's environment.

One JSON object a line, each answered by one line. {"start": problem} begins a search, and ends
the one before; a process makes any number, as some libraries take half a minute to import. A
problem is

    {"method": str, "seed": int, "trials": int, "space": [parameter], "sources": [source]}

where a parameter is {"kind": "float", "name", "low", "high", "scale": "linear" or "log"} or
{"kind": "choice", "name", "values"}, and a source {"name", "values": [{name: value}], "scores":
[float]}; higher scores are better. {"ask": true} is answered with {"values": {name: value}} (null
when there is nothing left to try), {"tell": score} is about the last proposal (null for a failed
trial); the other answers are {}.
"""

import json
import os
import sys


def serve(start):
    """Answers until the input ends.

    Args:
        start: from a problem to an object with `ask()`, which returns values, and `tell(score)`.
    """
    # Libraries print; what they print must not end up between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    search = None
    for line in sys.stdin:
        message = json.loads(line)
        answer = {}
        if "start" in message:
            search = start(message["start"])
        elif "ask" in message:
            answer = {"values": search.ask()}
        else:
            search.tell(message["tell"])
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def best_of(source, count=1):
    """The values of a source's best trials, the best first."""
    order = sorted(range(len(source["scores"])), key=lambda index: -source["scores"][index])
    return [source["values"][index] for index in order[:count]]
