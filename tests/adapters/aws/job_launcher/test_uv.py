"""uv, where an index has it."""

from __future__ import annotations

import pytest
from launcher_containers import Container, with_index


@pytest.mark.network
def test_uv_installs_what_pip_resolved(container: Container) -> None:
    """With an index: uv comes once for each pool, and links what pip found."""
    with_index(container)
    container.write(requirements="tabulate==0.9.0\n", train="import tabulate\nprint(tabulate.__version__)\n")
    code, log = container.run()
    assert code == 0, log
    assert (container.cache / "packages" / "uv-tool" / "bin" / "uv").exists()
    assert "Successfully installed tabulate-0.9.0" in log
    freeze = next((container.cache / "packages").glob("*/lib/*/site-packages/tabulate-*.dist-info"))
    assert not (freeze / "direct_url.json").exists()
    container.write(requirements="tabulate==0.10.0\n")
    code, log = container.run()
    assert (code, log.splitlines()[-1]) == (0, "0.10.0")
