"""The whole policy, and how it is read."""

from pathlib import Path
from typing import Any, Self

from pydantic import Field, model_validator

from meta_orchestrator.errors import SettingsError, did_you_mean
from meta_orchestrator.policy.judgement import Adaptation, Analysis, Escalation, ProjectPolicy, Targets, Weights
from meta_orchestrator.policy.pace import Limits, Pace, Reset, Samples, Time, Trials
from meta_orchestrator.policy.parameters import BUILT_IN, Parameter
from meta_orchestrator.policy.section import Section, parse
from meta_orchestrator.toml import read_toml


class Policy(Section):
    time: Time = Time()
    samples: Samples = Samples()
    limits: Limits = Limits()
    pace: Pace = Pace()
    trial: Trials = Trials()
    analysis: Analysis = Analysis()
    adaptation: Adaptation = Adaptation()
    reset: Reset = Reset()
    targets: Targets = Targets()
    parameters: dict[str, Parameter] = Field(
        default_factory=lambda: dict(BUILT_IN),
        json_schema_extra={"default": {name: one.model_dump(mode="json") for name, one in BUILT_IN.items()}},
    )
    escalation: tuple[Escalation, ...] = (
        Escalation(metric="handoff_failure_rate", threshold=0.5),
        Escalation(metric="consensus_success_rate", threshold=0.3, below=True),
        Escalation(metric="handoff_cycle", threshold=0.5, for_s=1800),
    )
    profiles: dict[str, Weights] = Field(
        default_factory=lambda: {
            "standard": Weights(),
            "critical": Weights(velocity=0.2, quality=0.45),
        }
    )
    project: dict[str, ProjectPolicy] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _merge(cls, given: Any) -> Any:
        """`[parameters] mode` speaks for all; a parameter's own table changes only what it names."""
        if not isinstance(given, dict) or any(not isinstance(given.get(name, {}), dict) for name in _MERGED):
            return given  # what is no table is refused where tables are asked for
        tables = dict(given.get("parameters", {}))
        everywhere = {"mode": tables.pop("mode")} if "mode" in tables else {}
        known = {name: parameter.model_dump() | everywhere for name, parameter in BUILT_IN.items()}
        for name, own in tables.items():
            _check_name(name, own)
            known[name] = (known.get(name, everywhere) | own) if isinstance(own, dict) else own
        profiles = {"standard": {}, "critical": Weights(velocity=0.2, quality=0.45).model_dump()} | given.get(
            "profiles", {}
        )
        return given | {"parameters": known, "profiles": profiles}

    @model_validator(mode="after")
    def _profiles_exist(self) -> Self:
        for name, project in self.project.items():
            if project.profile not in self.profiles:
                meant = did_you_mean(project.profile, self.profiles)
                right = f"must be one of {', '.join(sorted(self.profiles))}{meant}"
                raise SettingsError(f"policy.project.{name}.profile", project.profile, right)
        return self

    def weights(self, project: str) -> Weights:
        """The objective of a project."""
        return self.profiles[self.project[project].profile if project in self.project else "standard"]


_MERGED = ("parameters", "profiles")


def _check_name(name: str, own: Any) -> None:
    """A table without a type changes a parameter that is built in: SettingsError where there is none of its name."""
    if name not in BUILT_IN and isinstance(own, dict) and "type" not in own:
        meant = did_you_mean(name, BUILT_IN)
        right = f"no parameter of this name is built in{meant}; one of your own needs a type"
        raise SettingsError(f"policy.parameters.{name}", own, right)


def load_policy(path: Path | None) -> Policy:
    """The policy in a TOML file, the defaults where there is none. SettingsError names the key."""
    return Policy() if path is None else parse(Policy, read_toml("policy", path), "policy")
