from __future__ import annotations

import pytest

from gpufleet.errors import ExitCode, GpufleetError, StoppedError
from gpufleet.rollout.driver import RegionFailedError
from gpufleet.rollout.journal import Journal, Stage, Status
from gpufleet.rollout.readiness import NotReadyError
from gpufleet.rollout.watch import Signals, SignalsUnknownError
from tests.rollout.platforms import FakePlatform, FakeWatch, KilledError, ManualTime, Scene, journal

BAD = Signals(requests_per_second=10, error_percent=3, ttft_ms=200)


def two() -> Scene:
    return Scene(FakePlatform({"eastus": "old", "swedencentral": "old"}))


def test_one_region_after_the_other_each_watched_for_the_whole_bake() -> None:
    scene = two()
    at = {}
    scene.clock.at[1799] = lambda: at.update(scene.platform.runs)
    ended = scene.driver.forward(journal("eastus", "swedencentral"))
    assert scene.platform.done == [
        "eastus=new", "eastus awaited", "swedencentral=new", "swedencentral awaited", "record=new",
    ]  # fmt: skip
    assert at == {"eastus": "new", "swedencentral": "old"}
    assert scene.clock.seconds == 2 * 30 * 60
    assert (ended.status, scene.stages()) == (Status.FINISHED, {"eastus": "done", "swedencentral": "done"})
    assert scene.watch.looked.count("eastus") == 1 + 1 + 60


def test_a_region_that_does_badly_goes_back_and_no_other_is_reached() -> None:
    scene = two()
    scene.clock.at[600] = lambda: scene.watch.says.update(eastus=BAD)
    with pytest.raises(RegionFailedError) as raised:
        scene.driver.forward(journal("eastus", "swedencentral"))
    assert raised.value.exit_code is ExitCode.RESOURCE
    assert raised.value.message == (
        "eastus has the previous release again: 3.0% of the requests fail, 1% may. swedencentral never had it."
    )
    assert scene.platform.runs == {"eastus": "old", "swedencentral": "old"}
    assert (scene.kept[-1].status, scene.stages()) == (
        Status.STOPPED,
        {"eastus": "returned", "swedencentral": "waiting"},
    )
    assert scene.clock.seconds == 600


def test_slower_than_before_is_bad_too_and_what_was_reached_earlier_stays() -> None:
    scene = two()
    scene.clock.at[1900] = lambda: scene.watch.says.update(
        swedencentral=Signals(requests_per_second=1, error_percent=0, ttft_ms=301)
    )
    with pytest.raises(RegionFailedError, match=r"301 ms .*, 300 ms it may: 200 ms before the release and 50%"):
        scene.driver.forward(journal("eastus", "swedencentral"))
    assert scene.platform.runs == {"eastus": "new", "swedencentral": "old"}
    assert scene.stages() == {"eastus": "done", "swedencentral": "returned"}


def test_a_region_that_cannot_be_changed_goes_back() -> None:
    scene = two()
    scene.platform.fails["eastus", "new"] = GpufleetError("the image cannot be pulled")
    with pytest.raises(RegionFailedError, match="again: the image cannot be pulled"):
        scene.driver.forward(journal("eastus", "swedencentral"))
    assert scene.platform.runs == {"eastus": "old", "swedencentral": "old"}


def test_ctrl_c_leaves_the_region_to_a_later_run() -> None:
    scene = two()
    scene.platform.fails["eastus", "new"] = StoppedError()
    with pytest.raises(StoppedError):
        scene.driver.forward(journal("eastus", "swedencentral"))
    assert (scene.kept[-1].status, scene.stages()["eastus"]) == (Status.RUNNING, "changing")
    scene.platform.fails.clear()
    assert scene.driver.forward(scene.kept[-1]).status is Status.FINISHED


def test_a_region_that_is_not_ready_is_not_touched() -> None:
    scene = two()
    scene.platform.reasons["eastus"] = ["its registry replica is Replicating, not Ready: wait"]
    with pytest.raises(NotReadyError, match="Replicating") as raised:
        scene.driver.forward(journal("eastus", "swedencentral"))
    assert raised.value.exit_code is ExitCode.PREFLIGHT
    assert scene.platform.done == []
    assert (scene.kept[-1].status, scene.stages()["eastus"]) == (Status.STOPPED, "waiting")


def test_a_region_that_is_ill_already_is_not_touched() -> None:
    scene = two()
    scene.watch.says["eastus"] = BAD
    with pytest.raises(NotReadyError, match=r"3\.0% of the requests fail"):
        scene.driver.forward(journal("eastus", "swedencentral"))
    assert scene.platform.done == []


def test_without_an_answer_nothing_moves() -> None:
    scene = two()
    scene.clock.at[60] = lambda: scene.watch.says.update(eastus=SignalsUnknownError("no answer", hint="Look there."))
    with pytest.raises(SignalsUnknownError, match="eastus has the release, and nobody knows how it does: no answer"):
        scene.driver.forward(journal("eastus", "swedencentral"))
    assert scene.platform.runs == {"eastus": "new", "swedencentral": "old"}
    assert (scene.kept[-1].status, scene.stages()["eastus"]) == (Status.RUNNING, "baking")


def test_one_lost_answer_is_asked_for_again() -> None:
    scene = two()
    scene.clock.at[60] = lambda: scene.watch.says.update(eastus=SignalsUnknownError("no answer"))
    scene.clock.at[90] = scene.watch.says.clear
    assert scene.driver.forward(journal("eastus", "swedencentral")).status is Status.FINISHED


def test_a_region_without_requests_says_so() -> None:
    scene = Scene(FakePlatform({"eastus": "old"}), FakeWatch({"eastus": Signals(requests_per_second=0)}), ManualTime())
    ended = scene.driver.forward(journal("eastus"))
    assert ended.region("eastus").note == "no request came while it was watched"


def test_killed_half_way_the_next_run_goes_on() -> None:
    scene = two()
    scene.platform.dies_in = "swedencentral"
    with pytest.raises(KilledError):
        scene.driver.forward(journal("eastus", "swedencentral"))
    left = Journal.model_validate_json(scene.kept[-1].text)
    assert {record.name: record.stage for record in left.regions} == {
        "eastus": Stage.DONE,
        "swedencentral": Stage.CHANGING,
    }
    scene.platform.dies_in = None
    scene.platform.done.clear()
    scene.driver.forward(left)
    assert scene.platform.done == ["swedencentral=new", "swedencentral awaited", "record=new"]


def test_a_bake_that_was_cut_off_has_its_rest_left() -> None:
    scene = two()
    baking = journal("eastus", "swedencentral").at("eastus", Stage.BAKING, now=scene.clock.now())
    scene.platform.runs["eastus"] = "new"
    scene.clock.seconds = 1500
    scene.driver.forward(baking)
    assert scene.clock.seconds == 1800 + 1800


def test_killed_on_the_way_back_it_goes_back_first() -> None:
    scene = two()
    scene.platform.runs["eastus"] = "half"
    returning = journal("eastus", "swedencentral").at("eastus", Stage.RETURNING, now=scene.clock.now(), note="slow")
    with pytest.raises(RegionFailedError, match="eastus has the previous release again: slow"):
        scene.driver.forward(returning)
    assert scene.platform.runs == {"eastus": "old", "swedencentral": "old"}
    assert scene.kept[-1].status is Status.STOPPED


def test_back_returns_every_region_that_was_reached_the_last_first() -> None:
    scene = Scene(FakePlatform({"eastus": "old", "swedencentral": "old", "japaneast": "old"}))
    scene.clock.at[3700] = lambda: scene.watch.says.update(japaneast=BAD)
    with pytest.raises(RegionFailedError, match=r"eastus, swedencentral keep it"):
        scene.driver.forward(journal("eastus", "swedencentral", "japaneast"))
    scene.platform.done.clear()
    ended = scene.driver.back(scene.kept[-1])
    assert scene.platform.done == ["swedencentral=old", "swedencentral awaited", "eastus=old", "eastus awaited"]
    assert (ended.status, set(scene.platform.runs.values())) == (Status.BACK, {"old"})


def test_back_from_a_finished_release_records_the_previous_one() -> None:
    scene = two()
    finished = scene.driver.forward(journal("eastus", "swedencentral"))
    scene.driver.back(finished)
    assert (scene.platform.recorded, set(scene.platform.runs.values())) == ("old", {"old"})


def test_a_region_that_has_the_release_is_left_alone() -> None:
    scene = Scene(FakePlatform({"eastus": "new", "swedencentral": "old"}))
    scene.driver.forward(journal("eastus", "swedencentral"))
    assert scene.platform.done == ["swedencentral=new", "swedencentral awaited", "record=new"]
    assert scene.kept[-1].region("eastus").note == "had it already"
