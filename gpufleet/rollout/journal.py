"""What a roll-out has done so far: enough to go on after a kill, and to go back."""

from __future__ import annotations

import datetime as dt
import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from gpufleet.errors import ConfigurationError
from gpufleet.rollout.release import Models


class Stage(StrEnum):
    """Where a region stands."""

    WAITING = "waiting"
    """It has the previous release."""
    CHANGING = "changing"
    """The engine is at it; after a kill, partly."""
    BAKING = "baking"
    """It serves the new release and is watched."""
    DONE = "done"
    """It serves the new release."""
    RETURNING = "returning"
    """The engine brings the previous release back; after a kill, partly."""
    RETURNED = "returned"
    """It has the previous release again."""


class Status(StrEnum):
    """Where a roll-out stands."""

    RUNNING = "running"
    """Under way, or cut off."""
    STOPPED = "stopped"
    """It stopped itself: a region was not ready, or went back."""
    FINISHED = "finished"
    """All regions have the release."""
    BACK = "back"
    """All regions have the previous release again."""


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class RegionRecord(_Part):
    """One region.

    Attributes:
        since: when it got there; a bake counts from it.
        ttft_ms: time to first token before the release, 95th percentile in milliseconds; None when nobody asked it
            anything.
        note: why it stands where it stands, for people.
    """

    name: str
    stage: Stage = Stage.WAITING
    since: AwareDatetime | None = None
    ttft_ms: float | None = None
    note: str = ""


class Journal(_Part):
    """One roll-out.

    Attributes:
        previous: the models that ran before.
        release: the models that are rolled out.
        regions: in the order to go.
    """

    schema_version: Literal[1] = 1
    environment: str
    sandbox: bool
    began: AwareDatetime
    status: Status = Status.RUNNING
    previous: list[dict[str, object]]
    release: list[dict[str, object]]
    bake_minutes: Annotated[float, Field(ge=0)]
    max_error_percent: float
    max_latency_increase_percent: float
    regions: list[RegionRecord]

    @property
    def text(self) -> str:
        """As the file holds it."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), indent=2) + "\n"

    def region(self, name: str) -> RegionRecord:
        """The record of a region. Raises KeyError when the roll-out has none of that name."""
        for record in self.regions:
            if record.name == name:
                return record
        raise KeyError(name)

    def at(self, name: str, stage: Stage, *, now: dt.datetime, note: str = "", ttft_ms: float | None = None) -> Journal:
        """With a region at another stage; what was measured before the release stays unless given anew."""

        def moved(record: RegionRecord) -> RegionRecord:
            if record.name != name:
                return record
            update = {"stage": stage, "since": now, "note": note}
            if ttft_ms is not None:
                update["ttft_ms"] = ttft_ms
            return record.model_copy(update=update)

        return self.model_copy(update={"regions": [moved(record) for record in self.regions]})

    def ended(self, status: Status) -> Journal:
        """With another status."""
        return self.model_copy(update={"status": status})

    def is_of(self, previous: Models, release: Models) -> bool:
        """Whether it is about these two releases."""
        return self.previous == list(previous) and self.release == list(release)


def read(path: Path) -> Journal | None:
    """The journal in a file, None when there is no such file.

    Raises:
        ConfigurationError: it can't be read, or is no journal.
    """
    try:
        return Journal.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise ConfigurationError(
            f"{path} is not the journal of a roll-out: {place}: {first['msg']}",
            hint="Move it away: the next roll-out finds out by a preview which regions have the release.",
        ) from None
