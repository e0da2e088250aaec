"""The watchdog ends a worker that has work and does nothing, and only then."""

import asyncio
from types import SimpleNamespace
from typing import cast

import pytest

from meta_orchestrator.drivers.live import watchdog
from meta_orchestrator.drivers.live.ending import Ending
from meta_orchestrator.drivers.live.options import Options
from meta_orchestrator.drivers.live.owner import Owned
from meta_orchestrator.drivers.live.writers import Writer
from meta_orchestrator.settings import Settings


class App:
    """As much of a worker as the watchdog looks at: one partition, assigned and not alive."""

    def __init__(self, ending: Ending, lost: bool) -> None:
        self.options = Options(Settings(broker="127.0.0.1:1"), stuck_s=3)
        self.ending = ending
        self.consumer_generation_id = 1
        self.input_topics: dict[str, str] = {}
        self.tables = SimpleNamespace(recovery=SimpleNamespace(active_offsets={"changelog": 0}))
        owned = Owned(writer=cast(Writer, None), lost=lost)  # the watchdog never writes
        self.owner = SimpleNamespace(owned={0: owned}, partitions=list)

    async def rejoin(self) -> None: ...


def look(
    times: int,
    monkeypatch: pytest.MonkeyPatch,
    broker_there: bool | list[bool],
    moves: bool = False,
    lost: bool = False,
) -> str | None:
    """What the watchdog says after so many looks at a worker that does not come alive."""
    answers = iter(broker_there if isinstance(broker_there, list) else [broker_there] * 2 * times)

    async def there(_: str) -> bool:
        return next(answers)

    async def looks() -> str | None:
        ending = Ending(asyncio.get_running_loop())
        app = App(ending, lost)
        dog = watchdog.Watchdog(app)  # type: ignore[arg-type]
        for _ in range(times):
            app.tables.recovery.active_offsets["changelog"] += moves
            await dog.look()
        return None if ending.reason is None else str(ending.reason)

    monkeypatch.setattr(watchdog, "reachable", there)
    return asyncio.run(looks())


def test_a_partition_that_does_not_come_alive_ends_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    assert look(3, monkeypatch, broker_there=True) is None
    assert look(4, monkeypatch, broker_there=True) == "no progress for 3 s: partition 0 is assigned and not read"


def test_a_recovery_that_moves_may_take_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert look(50, monkeypatch, broker_there=True, moves=True) is None


def test_while_the_broker_is_away_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    assert look(50, monkeypatch, broker_there=False) is None


def test_a_lost_partition_that_is_not_assigned_again_ends_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    assert look(14, monkeypatch, broker_there=True, moves=True, lost=True) is None
    said = look(15, monkeypatch, broker_there=True, moves=True, lost=True)
    assert said == "partitions [0] were lost in failed transactions and not assigned again"


def test_the_group_is_asked_once_to_assign_a_lost_partition_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    async def rejoin(app: App) -> None:
        asked.append(app)

    monkeypatch.setattr(App, "rejoin", rejoin)
    look(2, monkeypatch, broker_there=True, moves=True, lost=True)
    assert not asked
    look(14, monkeypatch, broker_there=True, moves=True, lost=True)
    assert len(asked) == 1


def test_an_outage_is_no_time_in_which_a_lost_partition_could_be_assigned(monkeypatch: pytest.MonkeyPatch) -> None:
    assert look(50, monkeypatch, broker_there=False, moves=True, lost=True) is None
    back_again = [True] * 14 + [False] * 20 + [True] * 14
    assert look(48, monkeypatch, back_again, moves=True, lost=True) is None


def test_nobody_listens_there() -> None:
    assert asyncio.run(watchdog.reachable("127.0.0.1:1,[::1]:1")) is False


def test_what_was_said_first_counts() -> None:
    async def end_twice() -> Ending:
        ending = Ending(asyncio.get_running_loop())
        ending.fail("stuck")
        ending.stop()
        await asyncio.wait_for(ending.wait(), 1)
        return ending

    assert str(asyncio.run(end_twice()).reason) == "stuck"
