"""The program without the SDKs: `plan` runs it against stand-ins for the packages pulumi and the providers' SDKs.

Importing the SDKs and awaiting their outputs is nearly all of an offline plan's time. The stand-ins keep what the graph
needs of them: how outputs pass on what they are made of (`outputs`), what a resource inherits (`resources`), what an
SDK's class takes and what the provider calls it (`shapes`, read out of the SDK's own sources by `sources`). They do
nothing that they don't know for certain: whatever else a program asks of them raises, and the plan is made with the
SDKs (`gpufleet.graph.offline`), whose word counts. Tests hold both plans equal.
"""

from gpufleet.graph.standin.planning import plan

__all__ = ["plan"]
