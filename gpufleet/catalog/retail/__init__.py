"""From the public Azure Retail Prices API to a price list: fetch, take the right meters, compare, write.

Only `gpufleet prices refresh` comes here; looking a price up never does.
"""
