"""The names of a job's hosts."""

from __future__ import annotations

from runner_bench import Bench, Sink

from wpfsm.adapters.emulator.runner.base import Ending


def test_the_names_of_hosts_resolve_in_python(bench: Bench, sink: Sink) -> None:
    """Two hosts of a job find one another as algo-1 and algo-2, whatever a Python program connects with."""
    script = (
        "import asyncio, json, os, socket, sys\n"
        "me = json.load(open('/opt/ml/input/config/resourceconfig.json'))['current_host']\n"
        "assert socket.gethostbyname('algo-2') == '127.0.0.1'\n"
        "server = socket.socket()\n"
        "server.bind((me, 0)); server.listen()\n"
        "port = server.getsockname()[1]\n"
        "socket.create_connection((me, port)).close()\n"
        "client = socket.socket(); client.connect((me, port)); client.close()\n"
        "loop = asyncio.new_event_loop()\n"
        "loop.run_until_complete(asyncio.open_connection(me, port))\n"
        "try: socket.gethostbyname('algo-x')\n"
        "except OSError: print(me, 'reached')\n"
    )
    ending = bench.run_script(script, hosts=2)
    assert Ending(0, "") == ending
    assert [sink.lines(host) for host in ("algo-1", "algo-2")] == [["algo-1 reached"], ["algo-2 reached"]]
