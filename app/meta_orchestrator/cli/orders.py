"""What an operator may order. Each is signed with the operator's key and decided at the next tick."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from meta_orchestrator.cli.options import Owner, Project, Reason, takes, whoami
from meta_orchestrator.cli.sending import Order, send
from meta_orchestrator.cli.times import SECOND_US, deadline_us, now_us, rfc3339

if TYPE_CHECKING:
    from meta_orchestrator.messages.fields import Value
    from meta_orchestrator.settings import Settings

SIGNED = ("broker", "trust", "key", "prefix")
LONGEST_OVERRIDE_US = 7 * 86_400 * SECOND_US

For = Annotated[str | None, typer.Option("--for", metavar="SPAN", help="How long: 90s, 30m, 2h, 1h30m, 7d.")]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Until when: 2026-01-31T18:00:00Z.")]
Wait = Annotated[
    bool,
    typer.Option("--wait/--no-wait", help="Wait for the answer, 90 s at the most; exit 1 if refused, 5 if none comes."),
]
Proposal = Annotated[str, typer.Argument(metavar="PROPOSAL", help="Its id, as `status` and `history` show it.")]


@takes(*SIGNED)
def freeze(
    settings: "Settings",
    project: Project,
    reason: Reason,
    span: For = None,
    until: Until = None,
    owner: Owner = None,
    wait: Wait = True,
) -> None:
    """Change nothing for a while, safety rollbacks excepted.

    Example: meta-orchestrator freeze -p checkout --for 2h --reason "release day"
    """
    now = now_us()
    end = deadline_us(span, until, now)
    if end <= now:
        raise typer.BadParameter("a freeze lasts from now; `unfreeze` ends one", param_hint="--for / --until")
    data = {"until": rfc3339(end), "reason": reason, "owner": owner or whoami()}
    send(settings, Order("freeze", "control.freeze", project, data), wait)


@takes(*SIGNED)
def unfreeze(
    settings: "Settings",
    project: Project,
    reason: Reason,
    owner: Owner = None,
    wait: Wait = True,
) -> None:
    """End a freeze before its time.

    Example: meta-orchestrator unfreeze -p checkout --reason "release is out"
    """
    data = {"until": rfc3339(now_us()), "reason": reason, "owner": owner or whoami()}
    send(settings, Order("unfreeze", "control.freeze", project, data), wait)


@takes(*SIGNED)
def override(
    settings: "Settings",
    parameter: Annotated[str, typer.Argument(metavar="PARAMETER", help="For example workflow.wip_limit.")],
    value: Annotated[str, typer.Argument(metavar="VALUE", help="A number where it reads as one, else text.")],
    project: Project,
    reason: Reason,
    span: For = None,
    until: Until = None,
    owner: Owner = None,
    wait: Wait = True,
) -> None:
    """Set a parameter at once and pin it, for 7 days at most; then the value before comes back.

    Example: meta-orchestrator override workflow.wip_limit 2 -p checkout --for 1d --reason "two agents are ill"
    """
    now = now_us()
    end = deadline_us(span, until, now)
    if not now < end <= now + LONGEST_OVERRIDE_US:
        raise typer.BadParameter("an override lasts from now for 7 days at most", param_hint="--for / --until")
    data = {"parameter": parameter, "value": value_of(value), "until": rfc3339(end)}
    everything = data | {"reason": reason, "owner": owner or whoami()}
    send(settings, Order("override", "control.override", project, everything), wait)


@takes(*SIGNED)
def rollback(
    settings: "Settings",
    project: Project,
    reason: Reason,
    change: Annotated[str | None, typer.Argument(metavar="CHANGE", help="The id of the change to take back.")] = None,
    to_version: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Or: back to the configuration of this version.")
    ] = None,
    owner: Owner = None,
    wait: Wait = True,
) -> None:
    """Take one change back, or go back to an earlier version (0 is the baseline).

    Example: meta-orchestrator rollback -p checkout --to-version 3 --reason "velocity fell"
    """
    if (change is None) == (to_version is None):
        raise typer.BadParameter("give a CHANGE or --to-version, one of them")
    which: dict[str, Any] = {"to_version": to_version} if change is None else {"change": change}
    data = which | {"reason": reason, "owner": owner or whoami()}
    send(settings, Order("rollback", "control.rollback", project, data), wait)


@takes(*SIGNED)
def reset(
    settings: "Settings",
    project: Project,
    reason: Reason,
    owner: Owner = None,
    wait: Wait = True,
) -> None:
    """Back to the baseline, the values that the orchestrator registered: short for `rollback --to-version 0`.

    Example: meta-orchestrator reset -p checkout --reason "start over"
    """
    data = {"to_version": 0, "reason": reason, "owner": owner or whoami()}
    send(settings, Order("reset", "control.rollback", project, data), wait)


@takes(*SIGNED)
def approve(
    settings: "Settings",
    proposal: Proposal,
    project: Project,
    reason: Annotated[str | None, typer.Option("--reason", "-r", help="Why; may be left out.")] = None,
    owner: Owner = None,
    wait: Wait = True,
) -> None:
    """Put a recommended change in force, on trial.

    Example: meta-orchestrator approve 5f0c… -p checkout
    """
    send(settings, Order("approve", "control.approve", project, answer(proposal, owner, reason)), wait)


@takes(*SIGNED)
def decline(
    settings: "Settings",
    proposal: Proposal,
    project: Project,
    reason: Annotated[str | None, typer.Option("--reason", "-r", help="Why; may be left out.")] = None,
    owner: Owner = None,
    wait: Wait = True,
) -> None:
    """Turn a recommended change down; its parameter then rests for a while.

    Example: meta-orchestrator decline 5f0c… -p checkout --reason "not this week"
    """
    send(settings, Order("decline", "control.decline", project, answer(proposal, owner, reason)), wait)


def answer(proposal: str, owner: str | None, reason: str | None) -> dict[str, Any]:
    return {"proposal": proposal, "owner": owner or whoami()} | ({"reason": reason} if reason else {})


def value_of(text: str) -> "Value":
    """2 is a whole number, 0.5 a fraction, the rest text (`timeboxed_batches(600)`); nan and inf are text too."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return text
    return number if abs(number) < float("inf") else text
