"""Ports that are held before they are opened."""

import socket

import pytest

from models.errors import UsageError
from serving.server.ports import HeldPort


def test_a_held_port_refuses_connections_until_it_is_opened() -> None:
    held = HeldPort("REST", "127.0.0.1", 0)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", held.number))
    with held, socket.create_server(("127.0.0.1", held.number)) as opened:
        pass
    del opened


def test_a_taken_port_is_told_at_once_and_later() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with pytest.raises(UsageError, match=f"REST port {taken} of 127.0.0.1 cannot be opened"):
            HeldPort("REST", "127.0.0.1", taken)
    held = HeldPort("gRPC", "127.0.0.1", taken)
    with (
        socket.create_server(("127.0.0.1", taken)),
        pytest.raises(UsageError, match="gRPC port"),
        held,
    ):
        raise OSError("in use")


def test_a_host_that_is_not_here_is_told() -> None:
    with pytest.raises(UsageError, match="Expected an address of this machine"):
        HeldPort("REST", "192.0.2.1", 0)
