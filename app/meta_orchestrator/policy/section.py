"""What all parts of the policy are: frozen, and wrong where they name something unknown."""

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from meta_orchestrator.errors import SettingsError

Model = TypeVar("Model", bound=BaseModel)
NotNegative = Annotated[float, Field(ge=0)]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)


def parse(model: type[Model], given: Any, name: str) -> Model:
    """The model of some settings; SettingsError with the path of the first wrong key."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        raise SettingsError(".".join([name, *map(str, first["loc"])]), first["input"], first["msg"]) from error
