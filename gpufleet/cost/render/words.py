"""Numbers and sentences that every form of a report shares."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from gpufleet.cost.estimate import Estimate, Verdict
from gpufleet.cost.money import HOURS_PER_MONTH, HOURS_PER_PERIOD
from gpufleet.cost.rates import Rate
from gpufleet.plural import plural

LEFT_OUT = (
    "taxes, support plans, reservations and savings plans, transactions of blobs, DNS queries, traffic between zones"
    " and regions, and whatever pods create by themselves (volumes, load balancers)"
)
"""What no estimate holds."""


def usd(amount: Decimal) -> str:
    """`$1,234.56`, `-$0.10`."""
    return f"{'-' if amount < 0 else ''}${abs(amount):,.2f}"


def signed(amount: Decimal) -> str:
    """`+$1,234.56`, `-$0.10`, `$0.00`."""
    return f"{'+' if amount > 0 else ''}{usd(amount)}"


def exact(amount: Decimal) -> str:
    """A unit price with all its digits, and two at least: `$98.32`, `$0.0208`, `$35.00`."""
    text = f"{amount.normalize():f}"
    whole, _, part = text.partition(".")
    return f"${int(whole):,}.{part:0<2}"


def percent(part: Decimal, whole: Decimal) -> str:
    """`92.3 %`."""
    return f"{(part / whole * 100).quantize(Decimal('0.1'), ROUND_HALF_UP)} %"


def quantity(number: Decimal) -> str:
    """A quantity to three digits behind the point at most, without trailing zeros."""
    rounded = number.quantize(Decimal("0.001"), ROUND_HALF_UP)
    return f"{rounded.normalize():,f}"


def unit_price(rate: Rate) -> str:
    """`$98.32 a node-hour`, with `from` where larger quantities cost less or more."""
    graduated = "from " if len(rate.price.tiers) > 1 else ""
    return f"{graduated}{exact(rate.usd)} a {rate.unit}"


def verdict(estimate: Estimate) -> str:
    """The first line of every report, in capitals what matters."""
    gate, held, budget = estimate.gate.value, estimate.held, estimate.budget
    if estimate.verdict is Verdict.WITHIN:
        head, rest = "WITHIN BUDGET", f"{percent(held, budget)} of"
    else:
        head, rest = "OVER BUDGET", f"{usd(held - budget)} more than"
    text = f"{head}: the {gate} costs {usd(held)} in the longest month ({HOURS_PER_PERIOD:f} h), {rest} the budget of"
    return f"{text} {usd(budget)}"


def gaps(estimate: Estimate) -> str:
    """What the verdict does not know; "" when it knows everything."""
    if not estimate.unpriced:
        return ""
    number = len(estimate.unpriced)
    return f"NOT PRICED: {plural(number, 'charge')} {'is' if number == 1 else 'are'} in no figure here"


def prices_of(estimate: Estimate) -> str:
    """Where the prices come from and how old they are."""
    oldest, newest = estimate.dates()
    if not newest:
        return "No list price was used."
    span = f"of {newest}" if oldest == newest else f"read between {oldest} and {newest}"
    if undated := estimate.undated():
        span += f", some without a date ({', '.join(undated)})"
    return f"Prices in USD {span}; a month has {HOURS_PER_MONTH:f} h. Left out: {LEFT_OUT}."
