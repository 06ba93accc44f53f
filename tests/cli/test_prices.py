from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner, Result

from gpufleet.catalog import prices, snapshots
from gpufleet.catalog.prices import Priced
from gpufleet.cli.app import app
from tests.catalog.price_api import Answer, PriceApi, item, serving

GPUFLEET = str(Path(sys.prefix) / "bin" / "gpufleet")
SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "schemas" / "prices.v1.json").read_text())
H100 = "Standard_ND96isr_H100_v5"
T4 = "Standard_NC4as_T4_v3"
OLD = "prices-2026-06-19.csv"
Served = tuple[PriceApi, Callable[..., Result]]
LISTED = {(H100, "eastus"): "98.32", (H100, "uksouth"): "122.9", (T4, "eastus"): "0.526", (T4, "uksouth"): "0.6"}


@pytest.fixture
def api() -> Iterator[PriceApi]:
    with serving() as served:
        yield served


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A team's folder with a price list of four lines."""
    home = tmp_path / "prices"
    home.mkdir()
    lines = [
        f"{size},{region},{usd},{'0.06' if (size, region) == (T4, 'eastus') else ''},2026-06-18,"
        f"{'2026-06-18' if (size, region) == (T4, 'eastus') else ''},KARP,"
        f"{'SKY,high,low' if (size, region) == (T4, 'eastus') else ',high,'},"
        for (size, region), usd in LISTED.items()
    ]
    (home / OLD).write_text("\n".join([",".join(prices.COLUMNS), *lines]) + "\n")
    monkeypatch.setenv("GPUFLEET_PRICES", str(home))
    prices.forget()
    yield home
    monkeypatch.undo()
    prices.forget()


@pytest.fixture
def refresh(api: PriceApi) -> Callable[..., Result]:
    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["prices", "refresh", "--api", api.address, *arguments])

    return run


@pytest.fixture
def served(api: PriceApi, refresh: Callable[..., Result]) -> Served:
    return api, refresh


def same(**changed: str) -> list[dict[str, Any]]:
    """Items that say what the list says, but for `H100_eastus="97"`."""
    short = {H100: "H100", T4: "T4"}
    return [
        item(armSkuName=size, armRegionName=region, retailPrice=float(changed.get(f"{short[size]}_{region}", usd)))
        for (size, region), usd in LISTED.items()
    ]


def today() -> date:
    return datetime.now(UTC).date()


def valid(document: dict[str, Any]) -> dict[str, Any]:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(document, SCHEMA, format_checker=jsonschema.FormatChecker())
    return document


def regular(size: str, region: str) -> Decimal | None:
    found = prices.regular(size, region)
    return found.usd_per_hour if isinstance(found, Priced) else None


def test_a_refresh_shows_what_changes_and_writes_a_dated_list(
    api: PriceApi, folder: Path, refresh: Callable[..., Result]
) -> None:
    api.items = [*same(H100_eastus="90.5"), item(armRegionName="westus2", retailPrice=98.32)]
    done = refresh("--yes")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        f"- {T4} spot in eastus: 0.06 → none USD an hour",
        f"~ {H100} in eastus: 98.32 → 90.5 USD an hour (-8.0 %)",
        f"+ {H100} in westus2: none → 98.32 USD an hour",
        "5 prices read: 1 added, 1 changed, 1 gone, 3 unchanged",
    ]
    new = folder / f"prices-{today()}.csv"
    assert done.stderr.endswith(f"{new} is in use now.\n")
    assert sorted(path.name for path in folder.iterdir()) == [OLD, new.name]
    assert (regular(H100, "eastus"), regular(H100, "westus2"), prices.day()) == (
        Decimal("90.5"),
        Decimal("98.32"),
        today(),
    )
    found = prices.regular(H100, "uksouth")
    assert isinstance(found, Priced)
    assert (found.source, found.as_of) == ("RETAIL", str(today()))


def test_some_regions_alone(api: PriceApi, folder: Path, refresh: Callable[..., Result]) -> None:
    api.items = same(H100_eastus="90", H100_uksouth="1")
    assert refresh("--yes", "--region", "eastus").exit_code == 0
    assert all("armRegionName eq 'eastus'" in query["$filter"] for query in api.queries)
    assert (regular(H100, "eastus"), regular(H100, "uksouth")) == (Decimal(90), Decimal("122.9"))
    found = prices.regular(H100, "uksouth")
    assert isinstance(found, Priced)
    assert (found.source, found.as_of) == ("KARP", "2026-06-18")


def test_a_dry_run_writes_nothing(api: PriceApi, folder: Path, refresh: Callable[..., Result]) -> None:
    api.items = same(H100_eastus="90")
    done = refresh("--dry-run")
    assert done.exit_code == 0
    assert "98.32 → 90.0 USD" in done.stdout
    assert done.stderr.endswith("Nothing was written (--dry-run).\n")
    assert [path.name for path in folder.iterdir()] == [OLD]


def test_json_is_what_its_schema_says(api: PriceApi, folder: Path, refresh: Callable[..., Result]) -> None:
    api.items = [*same(H100_eastus="90"), item(type="Reservation", reservationTerm="1 Year", retailPrice=500000.0)]
    done = refresh("--yes", "--format", "json")
    document = valid(json.loads(done.stdout))
    assert document["file"] == str(folder / f"prices-{today()}.csv")
    assert (document["pricesRead"], document["unchanged"], document["objections"]) == (4, 3, [])
    assert document["passedOver"] == {"reservation: a total for the term": 1}
    assert document["changes"][1] == {
        "kind": "changed",
        "size": H100,
        "region": "eastus",
        "priority": "regular",
        "oldUsdPerHour": 98.32,
        "newUsdPerHour": 90,
        "percent": -8.46,
    }


@pytest.mark.parametrize(
    ("items", "objection", "text"),
    [
        (
            [one for one in same() if one["armSkuName"] == T4],
            "vanished",
            f"{H100} had a price in 2 regions and has none",
        ),
        (same(H100_eastus="295"), "jump", f"{H100} in eastus: 98.32 → 295.0 USD an hour"),
        (same(H100_eastus="0"), "zero", f"{H100} in eastus was 98.32 USD an hour and is 0 now"),
        (same(H100_eastus="102.736"), "windows", f"{H100} in eastus: 98.32 → 102.736 USD an hour is up by what"),
        (
            [*same(), item(retailPrice=99.0)],
            "ambiguous",
            f"{H100} in eastus has several prices of one day: 98.32, 99.0",
        ),
        (
            [*same(), item(armSkuName=T4, armRegionName="uksouth", skuName="NC4as T4 v3 Spot", retailPrice=0.6)],
            "spot-not-below",
            f"{T4} spot in uksouth is 0.6 USD an hour, and the regular price 0.6",
        ),
    ],
)
def test_what_cannot_be_believed_is_refused_until_it_is_accepted(
    items: list[dict[str, Any]], objection: str, text: str, folder: Path, served: Served
) -> None:
    api, refresh = served
    api.items = items
    done = refresh("--yes")
    assert done.exit_code == 1
    assert f"objection: {objection}: {text}" in done.stderr
    assert "error: 1 of the new prices can't be believed; the price list in use stays as it is." in done.stderr
    assert f"`--accept {objection}` takes them all the same." in done.stderr
    assert [path.name for path in folder.iterdir()] == [OLD]
    accepted = refresh("--yes", "--accept", objection)
    assert accepted.exit_code == 0, accepted.output
    assert len(list(folder.iterdir())) == 2


def test_fewer_than_half_are_refused(api: PriceApi, folder: Path, refresh: Callable[..., Result]) -> None:
    api.items = same()[:1]
    done = refresh("--yes", "--accept", "vanished")
    assert done.exit_code == 1
    assert "objection: fewer: 1 regular prices instead of 4: fewer than half" in done.stderr


def test_an_empty_answer_is_refused(folder: Path, refresh: Callable[..., Result]) -> None:
    done = refresh("--yes")
    assert done.exit_code == 1
    assert "--accept vanished --accept fewer" in done.stderr


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (Answer(status=400, body="no"), "error: the price API refused http://127.0.0.1"),
        (Answer(body="<html>", headers={"Content-Type": "text/html"}), "answered text/html, not JSON: '<html>'"),
        (Answer(body="{}"), "answered JSON without a list of Items"),
        (Answer(status=429, body="", headers={"Retry-After": "999"}), "asks to wait 999 s (HTTP 429)"),
    ],
)
def test_an_api_that_fails_leaves_the_old_list(answer: Answer, text: str, api: PriceApi, folder: Path) -> None:
    api.script = [answer]
    before = (folder / OLD).read_bytes()
    command = [GPUFLEET, "prices", "refresh", "--yes"]
    environment = {**os.environ, "GPUFLEET_PRICES_API": api.address}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert text in done.stderr
    assert "The price list in use stays as it is." in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in folder.iterdir()] == [OLD]
    assert (folder / OLD).read_bytes() == before


def test_another_currency_cannot_be_accepted(api: PriceApi, folder: Path, refresh: Callable[..., Result]) -> None:
    api.items = [{**one, "currencyCode": "EUR"} for one in same()]
    done = refresh("--yes", "--accept", "jump")
    assert done.exit_code == 1
    assert "its currency is EUR; only USD prices are Microsoft's own" in str(done.exception)
    assert [path.name for path in folder.iterdir()] == [OLD]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_one_that_is_cut_off_half_way_leaves_the_old_list(how: signal.Signals, api: PriceApi, folder: Path) -> None:
    api.items = same(H100_eastus="90")
    # The first page comes, the second never does.
    asked = threading.Event()
    real = api.answer

    def answer(path: str) -> Answer:
        if api.queries:
            asked.set()
            return Answer(silent=True)
        return real(path)

    api.answer = answer  # type: ignore[method-assign]
    command = [GPUFLEET, "prices", "refresh", "--yes", "--api", api.address]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert asked.wait(60)
    running.send_signal(how)
    _, complaint = running.communicate(timeout=60)
    assert running.returncode == (8 if how is signal.SIGINT else -signal.SIGKILL)
    assert "Traceback" not in complaint
    assert [path.name for path in folder.iterdir()] == [OLD]
    assert regular(H100, "eastus") == Decimal("98.32")


def test_without_a_terminal_it_asks_for_yes_before_it_fetches(api: PriceApi, folder: Path) -> None:
    command = [GPUFLEET, "prices", "refresh", "--api", api.address]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout) == (2, "")
    assert "error: `gpufleet prices refresh` asks first, and there is no terminal" in done.stderr
    assert api.queries == []


@pytest.mark.parametrize(("answer", "agreed"), [("y\n", True), ("n\n", False), ("\n", False), ("", False)])
def test_a_person_is_asked(
    answer: str, agreed: bool, api: PriceApi, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.items = same(H100_eastus="90")
    monkeypatch.setattr("gpufleet.cli.prices.is_terminal", lambda file: True)
    done = CliRunner().invoke(app, ["prices", "refresh", "--api", api.address], input=answer)
    assert done.exit_code == (0 if agreed else 8)
    assert "Use this price list (2 changed prices)?" in done.stderr
    assert len(list(folder.iterdir())) == (2 if agreed else 1)


def test_who_is_asked_sees_what_about_even_when_the_result_goes_elsewhere(
    api: PriceApi, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.items = same(H100_eastus="90")
    monkeypatch.setattr("gpufleet.cli.prices.is_terminal", lambda file: True)
    command = ["prices", "refresh", "--api", api.address, "--format", "json", "--output", str(tmp_path / "out.json")]
    done = CliRunner().invoke(app, command, input="n\n")
    assert done.exit_code == 8
    assert "98.32 → 90.0 USD an hour (-8.5 %)" in done.stderr.split("Use this price list")[0]
    assert valid(json.loads((tmp_path / "out.json").read_text()))["file"] is None


def test_the_whole_list_that_ships_comes_back_unchanged(
    api: PriceApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPUFLEET_PRICES", str(tmp_path))
    prices.forget()
    try:
        for row in prices.rows():
            place = {"armSkuName": row.text("sku"), "armRegionName": row.text("region")}
            api.items.append(item(**place, retailPrice=float(row.text("on_demand_usd_per_hour"))))
            if spot := row.cells["spot_usd_per_hour"]:
                api.items.append(item(**place, retailPrice=float(spot), skuName="Spot", meterName="Spot"))
        api.page_size = 100
        done = CliRunner().invoke(app, ["prices", "refresh", "--yes", "--api", api.address])
        assert done.exit_code == 0, done.output
        assert done.stdout.splitlines() == ["3,096 prices read: no changes, 3,096 unchanged"]
        # 77 sizes, ten a query, a hundred meters a page
        assert len(api.queries) > 30
        assert len(prices.rows()) == 2998
        assert prices.day() == today()
    finally:
        monkeypatch.undo()
        prices.forget()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--accept", "jumps"], "--accept jumps: there is no such objection; the nearest is jump"),
        (["--region", "eastsu"], "no Azure region 'eastsu' in the catalogue; the nearest is eastus"),
        (["--api", "prices.azure.com"], "prices.azure.com is not the http(s) URL of a price API"),
    ],
)
def test_a_wrong_option(arguments: list[str], text: str, folder: Path) -> None:
    done = CliRunner().invoke(app, ["prices", "refresh", "--yes", *arguments])
    assert text in str(done.exception)
    assert getattr(done.exception, "exit_code", None) == 2


def test_status(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "today", lambda: date(2026, 6, 29))
    (folder / "negotiated.yaml").write_text(
        "prices:\n"
        f"  - {{size: {H100}, usd: 78, reason: now, validFrom: 2026-01-01, validUntil: 2026-12-31}}\n"
        f"  - {{size: {H100}, usd: 79, reason: then, validFrom: 2025-01-01, validUntil: 2025-12-31}}\n"
        f"  - {{size: {H100}, usd: 77, reason: later, validFrom: 2027-01-01, validUntil: 2027-12-31}}\n"
    )
    prices.forget()
    done = CliRunner().invoke(app, ["prices", "status"])
    assert done.stdout.splitlines() == [
        f"{folder / OLD}: 2026-06-19, 10 days old",
        "  2 sizes in 2 regions",
        "  regular prices: 4 of KARP",
        "  spot prices: 1 of SKY",
        f"  negotiated, valid: {folder / 'negotiated.yaml'}:2: now (2026-01-01 to 2026-12-31)",
        f"  negotiated, expired: {folder / 'negotiated.yaml'}:3: then (2025-01-01 to 2025-12-31)",
        f"  negotiated, not yet: {folder / 'negotiated.yaml'}:4: later (2027-01-01 to 2027-12-31)",
    ]
    document = valid(json.loads(CliRunner().invoke(app, ["prices", "status", "--format", "json"]).stdout))
    assert document["others"] == ["gpufleet/catalog/data/prices-2026-06-18.csv"]
    assert (document["shipped"], document["ageDays"], len(document["negotiated"])) == (False, 10, 3)


def test_status_finds_damage_anywhere(folder: Path) -> None:
    with (folder / OLD).open("a") as file:
        file.write(f"{T4},westus2,cheap,,2026-06-18,,KARP,,high,,\n")
    prices.forget()
    command = [GPUFLEET, "prices", "status"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        f"error: {folder / OLD}:6: on_demand_usd_per_hour is 'cheap', not a price",
        "`git diff` shows what changed in it; `git restore` brings it back.",
    ]


def test_show() -> None:
    done = CliRunner().invoke(
        app, ["prices", "show", "Standard_ND96isr_H200_v5", "--region", "eastus2", "--region", "uksouth"]
    )
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["REGION", "$/H", "AS", "OF", "SPOT", "$/H", "AS", "OF", "WAS"],
        ["eastus2", "84.80", "2026-06-18", "-", "-", "118.00", "(2024-12-13)"],
        ["uksouth", "106.00", "2026-06-18", "-", "-", "106.00", "(2025-05-16)"],
    ]
    command = ["prices", "show", T4, "--region", "eastus", "--region", "chilecentral", "--format", "json"]
    document = valid(json.loads(CliRunner().invoke(app, command).stdout))
    first, second = document["prices"]
    assert (first["regular"]["usdPerHour"], first["spot"]["usdPerHour"]) == (0.526, 0.062699)
    assert first["history"][0] == {"date": "2024-04-23", "usdPerHour": 0.526}
    assert second["regular"] == {
        "usdPerHour": None,
        "unpriced": f"the price list has no meter for {T4} in chilecentral",
    }


def test_show_what_has_a_price_and_no_facts_or_facts_and_no_price() -> None:
    assert len(CliRunner().invoke(app, ["prices", "show", "Standard_NC8ads_A10_v4"]).stdout.splitlines()) == 4
    nowhere = CliRunner().invoke(app, ["prices", "show", "Standard_ND128isr_GB300_v6"])
    assert (nowhere.exit_code, nowhere.stdout) == (0, "")
    assert nowhere.stderr == "The price list of 2026-06-18 has Standard_ND128isr_GB300_v6 in no region.\n"
    unknown = CliRunner().invoke(app, ["prices", "show", "Standard_ND96isr_H100"])
    assert "the nearest is Standard_ND96isr_H100_v5" in str(unknown.exception)
