"""What lies ahead of the declared inference platform: a day's demand, a lost region, spot nodes that are taken back.

Arithmetic on the specification and the catalogue, without a simulation: the same file gives the same figures.
"""

from gpufleet.outlook.allocations import allocated
from gpufleet.outlook.day import Day, day
from gpufleet.outlook.fleet import Fleet, fleet
from gpufleet.outlook.outlook import Outlook, outlook
from gpufleet.outlook.region_loss import Loss, losses
from gpufleet.outlook.unit_costs import token_costs

__all__ = ["Day", "Fleet", "Loss", "Outlook", "allocated", "day", "fleet", "losses", "outlook", "token_costs"]
