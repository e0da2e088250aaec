"""`/healthz`: it lives. `/readyz`: it owns partitions, their state is back, and records count."""

from typing import Any

from aiohttp import web

from meta_orchestrator.drivers.live.app import App
from meta_orchestrator.drivers.live.log import say
from meta_orchestrator.errors import SettingsError


class Health:
    """Two pages, plain aiohttp."""

    def __init__(self, app: App, host: str, port: int) -> None:
        self.app, self.host, self.port = app, host, port
        pages = web.Application()
        pages.add_routes([web.get("/healthz", self.healthz), web.get("/readyz", self.readyz)])
        self.runner = web.AppRunner(pages, access_log=None)

    async def start(self) -> None:
        """Answer from now on; port 0 takes a free one. SettingsError where another program has the port."""
        await self.runner.setup()
        try:
            await web.TCPSite(self.runner, self.host, self.port).start()
        except OSError as error:
            await self.runner.cleanup()
            advice = f"must be a free port of {self.host}, or 0 for any ({error.strerror})"
            raise SettingsError("--port", self.port, advice) from error
        self.port = self.runner.addresses[0][1]
        say("health", host=self.host, port=self.port)

    async def stop(self) -> None:
        await self.runner.cleanup()

    async def healthz(self, _: web.Request) -> web.Response:
        """Not well only once it has said that it must end: the watchdog is the judge of that."""
        failed = self.app.ending.reason
        return _answer(failed is None, {"reason": str(failed)} if failed else {})

    async def readyz(self, _: web.Request) -> web.Response:
        owner = self.app.owner
        state = {
            "partitions": {partition.number: partition.loop.tick_us for partition in owner.partitions()},
            "assigned": sorted(owner.owned),
            "records_read": owner.records,
        }
        ready = bool(owner.owned) and owner.ready() and not self.app.ending.is_set
        return _answer(ready, state)


def _answer(good: bool, content: dict[str, Any]) -> web.Response:
    return web.json_response({"ok": good, **content}, status=200 if good else 503)
