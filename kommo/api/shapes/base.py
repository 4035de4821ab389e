"""What all shapes have in common."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from kommo.ids import MAX_ID

Id = Annotated[int, Field(ge=1, le=MAX_ID)]
Number = Annotated[int, Field(ge=0)]
_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$"
Time = Annotated[str, Field(pattern=_TIME)]
ClockTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Seconds = Annotated[int, Field(description="Segundos Unix.")]


class Shape(BaseModel):
    """A JSON object with these fields and no others."""

    model_config = ConfigDict(extra="forbid")


class Good(Shape):
    """What every success says."""

    success: Literal[True]
    message: str = Field(description="O que foi feito, numa frase.")
