"""What a parameter's value may be, and what one step is."""

from typing import Literal

from meta_orchestrator.core.adaptation import frequency
from meta_orchestrator.messages.fields import Value, six_digits
from meta_orchestrator.policy import Parameter

Direction = Literal[-1, 1]
"""-1 is less (of a number, an earlier choice, less voting), +1 is more."""


def normal(parameter: Parameter, value: Value) -> Value:
    """A whole number that came as 5.0 is 5 where a whole number is meant, and 1 is 1.0 where a fraction is."""
    if parameter.type == "int" and isinstance(value, float) and value.is_integer():
        return int(value)
    if parameter.type == "float" and isinstance(value, int):
        return float(value)
    return value


def fault(parameter: Parameter, value: Value) -> str | None:
    """What is wrong with a value, as the end of a sentence; None if it may be put in force."""
    if parameter.type in ("int", "float"):
        return _number_fault(parameter, value)
    if not isinstance(value, str):
        return f"{value} is not a text"
    if parameter.type == "choice":
        return (
            None if value in (parameter.choices or ()) else f"{value} is none of {', '.join(parameter.choices or ())}"
        )
    return None if frequency.is_frequency(value) else f"{value} is none of {frequency.FORMS}"


def stepped(parameter: Parameter, value: Value, direction: Direction) -> Value | None:
    """The next value that way, cut at the bound; beyond it if it stands there already; None past the last choice."""
    if parameter.type == "frequency":
        return (frequency.more_voting if direction > 0 else frequency.less_voting)(str(value))
    if parameter.type == "choice":
        choices = parameter.choices or ()
        place = choices.index(str(value)) + direction if value in choices else -1
        return choices[place] if 0 <= place < len(choices) else None
    return _number_step(parameter, value, direction)


def is_looser(parameter: Parameter, value: Value, than: Value) -> bool:
    """Whether a value is on the loose side of another one."""
    difference = _rank(parameter, value) - _rank(parameter, than)
    return difference > 0 if parameter.looser == "up" else difference < 0


def towards(name: str, parameter: Parameter, before: Value, after: Value) -> str:
    """The name of a direction of a parameter: `workflow.wip_limit +`."""
    return f"{name} {'+' if _rank(parameter, after) > _rank(parameter, before) else '-'}"


def _number_fault(parameter: Parameter, value: Value) -> str | None:
    if isinstance(value, str) or (parameter.type == "int" and not isinstance(value, int)):
        return f"{value} is not a {'whole number' if parameter.type == 'int' else 'number'}"
    assert parameter.low is not None and parameter.high is not None  # noqa: S101, PT018 - the policy's model checked it
    if parameter.low <= value <= parameter.high:
        return None
    return f"{value} is outside {parameter.low:g} to {parameter.high:g}"


def _number_step(parameter: Parameter, value: Value, direction: Direction) -> Value | None:
    if isinstance(value, str) or parameter.step is None or parameter.low is None or parameter.high is None:
        return None
    target = value + direction * parameter.step
    if parameter.low < value < parameter.high:
        target = min(max(target, parameter.low), parameter.high)
    return normal(parameter, round(target) if parameter.type == "int" else six_digits(float(target)))


def _rank(parameter: Parameter, value: Value) -> float:
    """Numbers as they are, choices by their place, frequencies by how much is voted on."""
    if not isinstance(value, str):
        return value
    choices = parameter.choices or ()
    return (
        frequency.voting(value) if parameter.type == "frequency" else choices.index(value) if value in choices else -1
    )
