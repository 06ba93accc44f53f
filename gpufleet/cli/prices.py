"""`gpufleet prices status|show|refresh`: which price list is used, what it says, and a newer one."""

from __future__ import annotations

import sys
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from gpufleet.cli.output import Format, FormatOption, OutputOption, emit, emit_json, is_terminal, people
from gpufleet.errors import ConfigurationError, ExitCode
from gpufleet.plural import plural

if TYPE_CHECKING:
    from pathlib import Path

    from gpufleet.catalog.prices import Priced, Unpriced
    from gpufleet.catalog.retail.meters import Meters
    from gpufleet.catalog.retail.plan import Change, Doubt, Objection, Plan

app = typer.Typer(no_args_is_help=True)
group = typer.Typer(help="The price list: what it says, how old it is, and a newer one.", no_args_is_help=True)
app.add_typer(group, name="prices")

_MOST_LINES = 40
"""Changes that are shown to a person; --format json has them all."""


@group.command()
def status(form: FormatOption = Format.TEXT, output: OutputOption = None) -> None:
    """Say which price list is used, how old it is, and check every line of it and of negotiated.yaml."""
    from gpufleet.catalog import negotiated, prices, snapshots

    current, today = snapshots.current(), snapshots.today()
    rows = prices.rows()
    regular = Counter(row.cells["on_demand_source"] for row in rows if row.cells["on_demand_usd_per_hour"])
    spot = Counter(row.cells["spot_source"] for row in rows if row.cells["spot_usd_per_hour"])
    agreed = [
        {
            "place": place,
            "reason": entry.reason,
            "validFrom": str(entry.valid_from),
            "validUntil": str(entry.valid_until),
        }
        for place, entry in negotiated.entries()
    ]
    body = {
        "priceDate": str(current.day),
        "ageDays": (today - current.day).days,
        "file": current.label,
        "shipped": current.shipped,
        "sizes": len({row.cells["sku"] for row in rows}),
        "regions": len({row.cells["region"] for row in rows}),
        "regularPrices": dict(sorted(regular.items())),
        "spotPrices": dict(sorted(spot.items())),
        "negotiated": agreed,
        "others": [snapshot.label for snapshot in snapshots.every() if snapshot != current],
    }
    if form is Format.JSON:
        emit_json("prices", body, output)
        return
    lines = [
        f"{body['file']}: {body['priceDate']}, {body['ageDays']} days old"
        + (", part of gpufleet" if current.shipped else ""),
        f"  {body['sizes']} sizes in {body['regions']} regions",
        f"  regular prices: {_counted(regular)}",
        f"  spot prices: {_counted(spot)}",
    ]
    for entry in agreed:
        state = (
            "not yet" if entry["validFrom"] > str(today) else "expired" if entry["validUntil"] < str(today) else "valid"
        )
        span = f"{entry['validFrom']} to {entry['validUntil']}"
        lines.append(f"  negotiated, {state}: {entry['place']}: {entry['reason']} ({span})")
    emit("\n".join(lines), output)


@group.command()
def show(
    size: Annotated[str, typer.Argument(metavar="SIZE", help="VM size by its ARM name.")],
    region: Annotated[list[str] | None, typer.Option("--region", help="Only this region; repeatable.")] = None,
    form: FormatOption = Format.TEXT,
    output: OutputOption = None,
) -> None:
    """Show what a size costs in each region, and what it did cost where that is known."""
    from gpufleet.catalog import history, prices, regions, sizes

    if size not in sizes.without_facts():
        size = sizes.get(size).name
    places = [regions.get(name).name for name in region] if region else list(prices.regions(size))
    known = [
        (place, prices.regular(size, place), prices.spot(size, place), history.of(size, place)) for place in places
    ]
    if form is Format.JSON:
        body = [
            {
                "region": place,
                "regular": _price_json(regular),
                "spot": _price_json(spot),
                "history": [{"date": str(day), "usdPerHour": _number(usd)} for day, usd in past],
            }
            for place, regular, spot, past in known
        ]
        emit_json(
            "sizePrices", {"size": size, "currency": "USD", "priceDate": str(prices.day()), "prices": body}, output
        )
        return
    from gpufleet.cli.table import aligned

    rows = [("REGION", "$/H", "AS OF", "SPOT $/H", "AS OF", "WAS")]
    for place, regular, spot, past in known:
        before = [f"{_amount(usd)} ({day})" for day, usd in past if usd is not None]
        rows.append((place, *_cells(regular), *_cells(spot), before[0] if before else "-"))
    if known:
        emit(aligned(rows, right=(1, 3)), output)
    else:
        people().print(f"The price list of {prices.day()} has {size} in no region.", markup=False)


@group.command()
def refresh(
    *,
    region: Annotated[
        list[str] | None, typer.Option("--region", help="Only this region, the others stay as they are; repeatable.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change and write nothing.")] = False,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            "--accept", metavar="OBJECTION", help="Take the new prices in spite of this objection; repeatable."
        ),
    ] = None,
    api: Annotated[
        str | None, typer.Option("--api", envvar="GPUFLEET_PRICES_API", help="Address of the API.", show_default=False)
    ] = None,
    timeout: Annotated[float, typer.Option("--timeout", min=1, max=600, help="Seconds to wait for an answer.")] = 30,
    form: FormatOption = Format.TEXT,
    output: OutputOption = None,
) -> None:
    """Fetch current prices from the public Azure Retail Prices API (no login) into a new dated price list.

    Shows what changes and asks before it writes. The price list in use stays in place, and stays in use until the new
    one is there whole. Prices too odd to believe are refused; --accept names an objection to overrule.
    """
    from gpufleet.catalog import snapshots
    from gpufleet.catalog.retail.write import write

    accepted = {_objection(name) for name in accept or ()}
    if not (yes or dry_run or is_terminal(sys.stdin)):
        raise ConfigurationError(
            "`gpufleet prices refresh` asks first, and there is no terminal",
            hint="Add --yes to go ahead, or --dry-run to look.",
        )
    try:
        meters, plan = _fetched(api, region, timeout)
    except KeyboardInterrupt:
        people().print("error: cancelled; the price list in use stays as it is.")
        raise typer.Exit(ExitCode.CANCELLED) from None
    refused = [doubt for doubt in plan.doubts if doubt.objection not in accepted]
    file: Path | None = None
    summary = _summary(meters, plan)
    if form is Format.TEXT:
        emit(summary, output)
    if not yes and (output or form is not Format.TEXT):
        people().print(summary, markup=False)  # who is asked must see what about
    if not (refused or dry_run) and (yes or _agreed(plan)):
        file = write(plan.rows, snapshots.today())
    if form is Format.JSON:
        emit_json("pricesRefresh", _refresh_json(meters, plan, accepted, file), output)
    if refused:
        _refuse(refused)
    if dry_run:
        people().print("Nothing was written (--dry-run).")
    elif file is None:
        raise typer.Exit(ExitCode.CANCELLED)
    else:
        from gpufleet.catalog.table import label

        people().print(f"{label(file)} is in use now.", markup=False)


def _refuse(refused: list[Doubt]) -> NoReturn:
    from gpufleet.catalog.retail.plan import Objection

    for doubt in refused[:_MOST_LINES]:
        people().print(f"objection: {doubt.objection.value}: {doubt.text}", markup=False)
    if len(refused) > _MOST_LINES:
        people().print(f"… and {len(refused) - _MOST_LINES:,} more; --format json has all of them", markup=False)
    names = sorted({doubt.objection for doubt in refused}, key=list(Objection).index)
    options = " ".join(f"--accept {name}" for name in names)
    people().print(
        f"error: {len(refused)} of the new prices can't be believed; the price list in use stays as it is.\n"
        f"Look at them one by one; `{options}` takes them all the same.",
        markup=False,
    )
    raise typer.Exit(ExitCode.ERROR)


def _objection(name: str) -> Objection:
    from gpufleet.catalog.nearest import nearest_name
    from gpufleet.catalog.retail.plan import Objection

    try:
        return Objection(name)
    except ValueError:
        near = nearest_name(name, Objection)
        raise ConfigurationError(
            f"--accept {name}: there is no such objection" + (f"; the nearest is {near}" if near else ""),
            hint=f"There are {', '.join(Objection)}.",
        ) from None


def _fetched(api: str | None, region: list[str] | None, timeout: float) -> tuple[Meters, Plan]:
    """What the API has, compared with the price list in use."""
    from datetime import UTC, datetime

    from gpufleet.catalog import prices, regions, sizes, snapshots
    from gpufleet.catalog.retail.client import API, RetailPrices
    from gpufleet.catalog.retail.meters import choose
    from gpufleet.catalog.retail.plan import plan

    asked = [regions.get(name).name for name in dict.fromkeys(region or ())]
    old = [row.cells for row in prices.rows()]
    wanted = sorted({*sizes.names(), *prices.sizes()})
    with people().status("Asking the Azure Retail Prices API …") as bar:

        def on_page(page: int, items: int) -> None:
            bar.update(f"Azure Retail Prices API: page {page}, {items:,} meters")

        with RetailPrices(api or API, timeout_seconds=timeout) as source:
            items = source.virtual_machines(wanted, asked, on_page)
            places = asked or regions.names()
            meters = choose(items, sizes=wanted, regions=places, now=datetime.now(UTC))
    return meters, plan(old, meters, sizes=set(wanted), regions=set(places), day=snapshots.today())


def _agreed(plan: Plan) -> bool:
    changes = len(plan.changes)
    what = plural(changes, "changed price") if changes else "no changed price"
    try:
        return typer.confirm(f"Use this price list ({what})?", err=True)
    except typer.Abort:
        return False


def _summary(meters: Meters, plan: Plan) -> str:
    counts = Counter(change.kind.value for change in plan.changes)
    lines = [_line(change) for change in plan.changes[:_MOST_LINES]]
    if len(plan.changes) > _MOST_LINES:
        lines.append(f"… and {len(plan.changes) - _MOST_LINES:,} more; --format json has all of them")
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(counts.items())) or "no changes"
    lines.append(f"{len(meters.usd):,} prices read: {kinds}, {plan.unchanged:,} unchanged")
    if meters.skipped:
        lines.append("passed over: " + "; ".join(f"{count:,} {why}" for why, count in sorted(meters.skipped.items())))
    return "\n".join(lines)


def _line(change: Change) -> str:
    what = f"{change.size} {'spot ' if change.spot else ''}in {change.region}"
    sign = {"added": "+", "gone": "-", "changed": "~"}[change.kind.value]
    amounts = " → ".join("none" if usd is None else f"{usd}" for usd in (change.old, change.new))
    percent = "" if change.percent is None else f" ({change.percent:+.1f} %)"
    return f"{sign} {what}: {amounts} USD an hour{percent}"


def _refresh_json(meters: Meters, plan: Plan, accepted: set[Objection], file: Path | None) -> dict[str, object]:
    from gpufleet.catalog.table import label

    return {
        "currency": "USD",
        "file": label(file) if file else None,
        "pricesRead": len(meters.usd),
        "unchanged": plan.unchanged,
        "changes": [
            {
                "kind": change.kind.value,
                "size": change.size,
                "region": change.region,
                "priority": "spot" if change.spot else "regular",
                "oldUsdPerHour": _number(change.old),
                "newUsdPerHour": _number(change.new),
                "percent": None if change.percent is None else round(float(change.percent), 2),
            }
            for change in plan.changes
        ],
        "passedOver": {why.value: count for why, count in sorted(meters.skipped.items())},
        "objections": [
            {"objection": doubt.objection.value, "text": doubt.text, "accepted": doubt.objection in accepted}
            for doubt in plan.doubts
        ],
    }


def _price_json(price: Priced | Unpriced) -> dict[str, object]:
    from gpufleet.catalog.prices import Unpriced

    if isinstance(price, Unpriced):
        return {"usdPerHour": None, "unpriced": price.reason}
    return {
        "usdPerHour": _number(price.usd_per_hour),
        "kind": price.kind.value,
        "listUsdPerHour": _number(price.list_usd_per_hour),
        "reason": price.reason or None,
        "asOf": price.as_of,
        "source": price.source,
        "confidence": price.confidence,
        "note": price.note or None,
    }


def _number(usd: Decimal | None) -> float | None:
    return None if usd is None else float(usd)


def _cells(price: Priced | Unpriced) -> tuple[str, str]:
    from gpufleet.catalog.prices import Unpriced

    return ("-", "-") if isinstance(price, Unpriced) else (_amount(price.usd_per_hour), price.as_of)


def _amount(usd: Decimal) -> str:
    """Two decimals, or as many as there are."""
    return f"{usd:,.2f}" if usd == round(usd, 2) else f"{usd.normalize():,f}"


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} of {source}" for source, count in counts.most_common()) or "none"
