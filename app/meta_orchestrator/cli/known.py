"""Which projects there are: a name that was mistyped would be answered by nobody."""

from typing import TYPE_CHECKING

from meta_orchestrator.errors import SettingsError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meta_orchestrator.cli.reading import Since
    from meta_orchestrator.settings import Settings

LATELY_US = 3600 * 1_000_000
"""A busy project has metrics within so long; a quiet one is looked for in all that was ever said of it."""


def check_known(project: str, known: "Iterable[str]", advice: str = "") -> None:
    """SettingsError where the project is none of those known."""
    names = sorted(known)
    if project not in names:
        listed = f"; known: {', '.join(names) or 'none'}"
        raise SettingsError(
            "--project", project, f"nothing is known of it{did_you_mean(project, names)}{listed}{advice}"
        )


async def require_known(settings: "Settings", project: str, now_us: int) -> None:
    """Before an order goes out: SettingsError where neither a worker nor a team has ever spoken of its project."""
    from meta_orchestrator.cli.reading import Since

    lately = Since(now_us - LATELY_US)
    known = await _spoken_of(settings, ["metrics"], lately)
    if project not in known:
        known |= await _spoken_of(settings, ["config-changes", "orchestrator-events"], None)
        known |= await _spoken_of(settings, ["agent-events", "consensus-events"], lately)
    check_known(project, known, "; --no-wait sends it all the same")


async def _spoken_of(settings: "Settings", topics: list[str], since: "Since | None") -> set[str]:
    from meta_orchestrator.cli.reading import read_topics

    return {one.key.decode(errors="replace") async for one, _ in read_topics(settings, topics, since) if one.key}
