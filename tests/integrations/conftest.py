from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.monitor.running import Running, running

pytest.importorskip("litestar", reason="the monitor's libraries are not installed (why401[monitor])")


@pytest.fixture(scope="package")
def monitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("integrations") / "data") as one:
        yield one
