"""``mouth-live serve`` in a process of its own, and a client of its WebSocket."""

import contextlib
import json
import os
import re
import subprocess
from types import SimpleNamespace

from conftest import COMMAND
from websockets.sync.client import connect


@contextlib.contextmanager
def program(folder, *arguments, before=(), **environment):
    """The command, once it serves; its process, the page's address and its port. ``before`` starts another program."""
    command = [*before, *COMMAND, "serve", "--port", "0", *map(str, arguments)]
    settings = {"cwd": folder, "env": os.environ | environment, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, **settings)
    try:
        lines = iter(process.stderr.readline, "")
        address = next(line for line in lines if "page: " in line).split()[-1]
        yield SimpleNamespace(process=process, address=address, port=int(re.search(r":(\d+)/", address)[1]))
    finally:
        process.terminate()
        process.stderr.close()
        process.wait(10)


def page(server, path="/ws", **more):
    return connect(f"ws://127.0.0.1:{server.port}{path}", proxy=None, **more)


def heard(connection, *types):
    """The next message of one of these types."""
    while True:
        message = json.loads(connection.recv(timeout=5))
        if message["type"] in types:
            return message
