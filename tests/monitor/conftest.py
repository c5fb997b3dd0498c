from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.monitor.running import Running, postgresql, running

pytest.importorskip("litestar", reason="the monitor's libraries are not installed (why401[monitor])")


@pytest.fixture(scope="package", params=["sqlite", "postgresql"])
def monitor(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One server for all tests of this folder; each test makes projects of its own."""
    data = tmp_path_factory.mktemp("monitor")
    if request.param == "sqlite":
        with running(data / "data") as one:
            yield one
        return
    try:
        with postgresql(data / "postgresql") as url, running(data / "data", url) as one:
            yield one
    except LookupError as missing:
        pytest.skip(str(missing))
