"""The whole program behind a proxy of fifteen nuisances: no violation, and no exit 1 over a loop that is open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from crash_processes import PATIENCE, Cli, Service, serving
from crash_runs import SOAK
from nuisance_proxy import NUISANCES, nuisances

pytestmark = pytest.mark.soak
HANDED_OFF = 10
OPEN = {4, 5, HANDED_OFF, 30, 75}
"""What a controller may say of a loop that it leaves open; a create that was refused for no known reason is handed off."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One emulator process for this module."""
    with serving(tmp_path_factory.mktemp("emulator")) as service:
        yield service


def test_there_are_fifteen_nuisances() -> None:
    """Each of them by its name, none twice."""
    assert len(set(NUISANCES)) == len(NUISANCES) == 15


@pytest.mark.parametrize("seed", range(100 if SOAK else 10))
def test_a_loop_behind_nuisances(service: Service, tmp_path: Path, seed: int) -> None:
    """Resumed until it is Closed: no job twice, no pool left, no gap, and every code of an open loop says that it is.

    The jobs succeed, so the loop's own end is success, or an outage that was longer than its patience.
    """
    with nuisances(service.url, seed) as (url, proxy):
        cli = Cli(tmp_path / "cli", replace(service, url=url), f"nuisance{seed}")
        try:
            path = cli.write(runs="echo loss=0.5", rates=[1, 2])
            code = cli.spawn("start", path).wait(PATIENCE)
            for _ in range(5):
                loop = cli.loop()
                if loop is None or loop.state == "Closed":
                    break
                assert code in OPEN, (code, proxy.happened, cli.said(cli.processes[-1]))
                how = ["--abandon"] if code == HANDED_OFF else []
                code = cli.spawn("resume", loop.id, *how).wait(PATIENCE)
            assert loop is not None
            cli.service = service
            assert cli.violations() == [], (proxy.happened, cli.said(cli.processes[-1]))
            assert code in {0, 75, 4}, (proxy.happened, cli.said(cli.processes[-1]))
        finally:
            cli.close()
