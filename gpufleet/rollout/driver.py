"""The roll-out itself: one region after the other, watched, back again when it goes wrong.

Nothing of one region depends on another's: a region that is down would otherwise hold up all others (adr/0037). So the
order is kept here, and the journal is written before each step, for the next run to go on after a kill.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gpufleet.errors import ExitCode, GpufleetError
from gpufleet.rollout.journal import Journal, RegionRecord, Stage, Status
from gpufleet.rollout.readiness import NotReadyError
from gpufleet.rollout.regions import NOWHERE
from gpufleet.rollout.release import Models
from gpufleet.rollout.watch import Limits, Signals, SignalsUnknownError, Watch

POLL_SECONDS = 30.0
"""Between two looks at a region: what AKS's agent scrapes by default (prometheus-metrics-scrape-default)."""
_PATIENCE = 5
"""Looks in a row without an answer before the watch is given up."""


class RegionFailedError(GpufleetError):
    """A region did worse with the release than it may, and has the previous one again."""

    exit_code = ExitCode.RESOURCE


class Platform(Protocol):
    """The environment, as the engine sees it."""

    def pending(self, models: Models) -> Mapping[str, Sequence[str]]:
        """What would change for these models to run, by region; `NOWHERE` for what is in none. Nothing is changed."""

    def apply(self, models: Models, urns: Sequence[str], *, title: str) -> None:
        """Change these resources, and nothing else, to what these models ask for.

        Raises:
            GpufleetError: the engine, or a resource, failed.
        """

    def await_servers(self, region: str) -> None:
        """Wait until every model server of a region runs what it was last given.

        Raises:
            GpufleetError: it does not, in time.
        """

    def not_ready(self, region: str, models: Models) -> Sequence[str]:
        """What stands against the release in a region.

        Raises:
            GpufleetError: nobody can tell.
        """


class Clock(Protocol):
    """Time, for tests to have their own."""

    def now(self) -> dt.datetime:
        """An aware time."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


@dataclass(frozen=True, kw_only=True)
class Driver:
    """What a roll-out works with.

    Attributes:
        save: keeps the journal; called before each step.
        say: tells the person.
    """

    platform: Platform
    watch: Watch
    clock: Clock
    save: Callable[[Journal], None]
    say: Callable[[str], None]

    def forward(self, journal: Journal) -> Journal:
        """Bring the release to every region that does not have it.

        Returns:
            the journal, finished.

        Raises:
            NotReadyError: a region can't take it now; that region is as it was.
            RegionFailedError: a region did badly, and is as it was before.
            GpufleetError: the engine failed, or nobody knows how a region does. Regions that have the release keep it.
        """
        journal = self._keep(journal.ended(Status.RUNNING))
        for record in journal.regions:
            if record.stage is not Stage.DONE:
                journal = self._region(journal, journal.region(record.name))
        rest = self.platform.pending(journal.release).get(NOWHERE, ())
        if rest:
            self.platform.apply(journal.release, rest, title="Recording the release")
        return self._keep(journal.ended(Status.FINISHED))

    def back(self, journal: Journal) -> Journal:
        """Return every region that has the release, or a part of it, to the previous one, the last reached first.

        Raises:
            GpufleetError: the engine failed; the next call goes on.
        """
        for record in reversed(journal.regions):
            if record.stage not in {Stage.WAITING, Stage.RETURNED}:
                journal = self._return(journal, record.name, note="by hand")
        rest = self.platform.pending(journal.previous).get(NOWHERE, ())
        if rest:
            self.platform.apply(journal.previous, rest, title="Recording the previous release")
        return self._keep(journal.ended(Status.BACK))

    def _region(self, journal: Journal, record: RegionRecord) -> Journal:
        name = record.name
        if record.stage is Stage.RETURNING:
            # Cut off on the way back: finish that, and let a person decide what comes next.
            journal = self._return(journal, name, note=record.note)
            self._keep(journal.ended(Status.STOPPED))
            raise RegionFailedError(f"{name} has the previous release again: {record.note}", hint=_AGAIN)
        if record.stage is not Stage.BAKING:
            urns = self.platform.pending(journal.release).get(name, ())
            if not urns and record.stage is not Stage.CHANGING:
                self.say(f"{name}: has the release already")
                return self._keep(journal.at(name, Stage.DONE, now=self.clock.now(), note="had it already"))
            journal = self._change(journal, record, urns)
        return self._bake(journal, name)

    def _change(self, journal: Journal, record: RegionRecord, urns: Sequence[str]) -> Journal:
        name = record.name
        if record.stage is Stage.CHANGING:
            self.say(f"{name}: an earlier run was cut off here, going on")
        else:
            journal = self._require_ready(journal, name)
        try:
            if urns:
                self.platform.apply(journal.release, urns, title=f"Rolling out to {name}")
            self.platform.await_servers(name)
        except GpufleetError as error:
            if error.exit_code is ExitCode.CANCELLED:
                raise
            raise self._went_back(journal, name, error.message) from error
        return self._keep(journal.at(name, Stage.BAKING, now=self.clock.now()))

    def _require_ready(self, journal: Journal, name: str) -> Journal:
        reasons = list(self.platform.not_ready(name, journal.release))
        before = self.watch.signals(name)
        reasons += _limits(journal).broken(before, before_ttft_ms=None)
        if reasons:
            note = "; ".join(reasons)
            self._keep(journal.at(name, Stage.WAITING, now=self.clock.now(), note=note).ended(Status.STOPPED))
            raise NotReadyError(
                "\n".join([f"{name} can't take the release now, so it was not touched:", *(f"  {r}" for r in reasons)]),
                hint="Put that right, then go on with --resume.",
            )
        return self._keep(journal.at(name, Stage.CHANGING, now=self.clock.now(), ttft_ms=before.ttft_ms))

    def _bake(self, journal: Journal, name: str) -> Journal:
        record = journal.region(name)
        assert record.since is not None
        until = record.since + dt.timedelta(minutes=journal.bake_minutes)
        self.say(f"{name}: serves the release, watched until {until.astimezone(dt.UTC):%H:%M:%S} UTC")
        asked = False
        while True:
            found = self._look(name)
            asked = asked or found.requests_per_second > 0
            broken = list(_limits(journal).broken(found, before_ttft_ms=record.ttft_ms))
            if broken:
                raise self._went_back(journal, name, "; ".join(broken))
            left = (until - self.clock.now()).total_seconds()
            if left <= 0:
                break
            self.clock.sleep(min(POLL_SECONDS, left))
        note = "" if asked else "no request came while it was watched"
        self.say(f"{name}: done{f', but {note}' if note else ''}")
        return self._keep(journal.at(name, Stage.DONE, now=self.clock.now(), note=note))

    def _look(self, name: str) -> Signals:
        """The region's signals, asked for again a few times: one answer may be lost on the way."""
        for attempt in range(1, _PATIENCE + 1):
            try:
                return self.watch.signals(name)
            except SignalsUnknownError as error:
                if attempt == _PATIENCE:
                    # Neither forward nor back blindly: the region serves, and a person can look at it.
                    raise SignalsUnknownError(
                        f"{name} has the release, and nobody knows how it does: {error.message}",
                        hint=f"{error.hint} It keeps the release, and no other region gets it: go on with --resume, or "
                        "return it with gpufleet rollout back.".strip(),
                    ) from error
                self.clock.sleep(POLL_SECONDS)
        raise AssertionError

    def _went_back(self, journal: Journal, name: str, reason: str) -> RegionFailedError:
        """Return a region, and say so."""
        self.say(f"{name}: {reason}. Going back")
        journal = self._return(journal, name, note=reason)
        self._keep(journal.ended(Status.STOPPED))
        have = [record.name for record in journal.regions if record.stage is Stage.DONE]
        kept = f" {', '.join(have)} {'keeps' if len(have) == 1 else 'keep'} it." if have else ""
        waiting = [record.name for record in journal.regions if record.stage is Stage.WAITING]
        spared = f" {', '.join(waiting)} never had it." if waiting else ""
        return RegionFailedError(
            f"{name} has the previous release again: {reason}.{kept}{spared}",
            hint=_AGAIN + (" gpufleet rollout back returns the others too." if have else ""),
        )

    def _return(self, journal: Journal, name: str, *, note: str) -> Journal:
        journal = self._keep(journal.at(name, Stage.RETURNING, now=self.clock.now(), note=note))
        if urns := self.platform.pending(journal.previous).get(name, ()):
            self.platform.apply(journal.previous, urns, title=f"Returning {name}")
        self.platform.await_servers(name)
        self.say(f"{name}: has the previous release again")
        return self._keep(journal.at(name, Stage.RETURNED, now=self.clock.now(), note=note))

    def _keep(self, journal: Journal) -> Journal:
        self.save(journal)
        return journal


_AGAIN = "Put the release right in the stack file, then roll it out anew."


def _limits(journal: Journal) -> Limits:
    return Limits(
        error_percent=journal.max_error_percent, latency_increase_percent=journal.max_latency_increase_percent
    )
