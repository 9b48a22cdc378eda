"""Co-simulation: wired instances -> signals over communication points.

``order`` says who comes first, ``system`` hands values on, ``simulate`` runs and records. What an instance is (an FMU,
or a few lines of Python in a test) is the business of whoever makes it.
"""

from twinbench.core.cosim.order import Order, propagation_order
from twinbench.core.cosim.simulate import Block, Outcome, StopCondition, simulate
from twinbench.core.cosim.system import Instance, Signal, System

__all__ = [
    "Block",
    "Instance",
    "Order",
    "Outcome",
    "Signal",
    "StopCondition",
    "System",
    "propagation_order",
    "simulate",
]
