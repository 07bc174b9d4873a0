"""A site: trains on the features of its own images, which never leave its process."""

import numpy as np
from flwr.app import Context, Message
from flwr.client import Client, NumPyClient
from flwr.client.mod import secaggplus_mod
from flwr.clientapp import ClientApp
from flwr.clientapp.typing import ClientAppCallable
from head import Head, moments, trained


class Site(NumPyClient):
    """One of the sites.

    Attributes:
        features: [n, d] of its images.
        labels: [n].
        classes: of all sites together, k.
    """

    def __init__(self, path: str) -> None:
        """Takes the file that `sites.py` wrote for it."""
        with np.load(path) as file:
            self.features, self.labels = file["features"], file["labels"]
            self.classes = len(file["names"])

    def get_parameters(self, config: dict) -> list[np.ndarray]:  # noqa: ARG002
        """The shapes of a head, without a figure of the site's."""
        return [np.zeros_like(each) for each in moments(self.features, self.classes)]

    def fit(self, parameters: list[np.ndarray], config: dict) -> tuple[list, int, dict]:
        """Its moments in the first round, then its training, from where all sites are."""
        if config["round"] == 1:
            head = moments(self.features, self.classes)
        else:
            head = trained(Head(*parameters), self.features, self.labels, config["steps"])
        return list(head), len(self.labels), {}


def site(context: Context) -> Client:
    """The site that the SuperNode was started for."""
    return Site(str(context.node_config["data"])).to_client()


def masked(message: Message, context: Context, call_next: ClientAppCallable) -> Message:
    """Secure aggregation where the site was started with it: no server can talk it out of it."""
    if context.node_config["secure"]:
        return secaggplus_mod(message, context, call_next)
    return call_next(message, context)


app = ClientApp(site, mods=[masked])
