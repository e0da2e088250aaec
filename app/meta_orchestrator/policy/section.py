"""What all parts of the policy are: frozen, and wrong where they name something unknown."""

import re
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails

from meta_orchestrator.errors import SettingsError, did_you_mean

Model = TypeVar("Model", bound=BaseModel)
CENTURY_S = 100 * 366 * 86_400
_SHOULD = re.compile(r"^\w+ should ")
"""How pydantic begins: `Input should be …`, `String should have …`."""
_KINDS = {
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "table"),
    **dict.fromkeys(("list_type", "tuple_type"), "list"),
}
"""What TOML calls it."""
NotNegative = Annotated[float, Field(ge=0)]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)

    @field_validator("*")
    @classmethod
    def _has_an_end(cls, value: Any, info: ValidationInfo) -> Any:
        """Deadlines are dates that are published: they must be years that can be written."""
        if str(info.field_name).endswith("_s") and value is not None and value > CENTURY_S:
            raise ValueError(f"must be at most {CENTURY_S} s: a century")
        return value


def parse(model: type[Model], given: Any, name: str) -> Model:
    """The model of some settings; SettingsError with the path of the first wrong key."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join([name, *map(str, first["loc"])])
        raise SettingsError(key, first["input"], _what_is_right(model, first)) from error


def _what_is_right(model: type[BaseModel], wrong: ErrorDetails) -> str:
    """The end of a sentence about a wrong key."""
    if wrong["type"] == "missing":
        return "must be given"
    if wrong["type"] in _KINDS:
        return f"must be a {_KINDS[wrong['type']]}"
    if wrong["type"] != "extra_forbidden":
        return _SHOULD.sub("must ", wrong["msg"].removeprefix("Value error, "))
    known = _known(model, wrong["loc"][:-1])
    meant = did_you_mean(str(wrong["loc"][-1]), known)
    return f"there is no such key{meant}; known are {', '.join(known)}" if known else "there is no such key"


def _known(model: type[BaseModel], place: tuple[int | str, ...]) -> list[str]:
    """The keys of a table; none where its place leads to something else."""
    kind: Any = model
    for part in place:
        if _is_model(kind):
            field = kind.model_fields.get(str(part))
            kind = field and field.annotation
        else:  # a table of tables or a list of them: whatever the name or the place in it
            kind = next(filter(_is_model, get_args(kind)), None)
    return [field.alias or name for name, field in kind.model_fields.items()] if _is_model(kind) else []


def _is_model(kind: Any) -> bool:
    return get_origin(kind) is None and isinstance(kind, type) and issubclass(kind, BaseModel)
