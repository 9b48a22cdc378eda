"""Co-simulation: wired instances -> signals over communication points.

coupling      which scheme, which rates, what is done with algebraic loops
order         who comes first, and where the loops are
system        the acts of a scheme
tape          acts compiled to operations whose addresses are data
opcodes       the vocabulary of a tape and of its frame
frame         what a run is made of, in one array
kernel        executes a tape at native speed (Numba)
interpreter   the same in plain Python: the oracle
simulate      runs and records
points        many runs, and what came of each
instance      what is needed of an FMU, or of a few lines of Python in a test
"""

from twinbench.core.cosim.coupling import LOOP_CHOICES, SCHEMES, Coupling
from twinbench.core.cosim.instance import Instance
from twinbench.core.cosim.order import find_loops, loop_findings, propagation_order
from twinbench.core.cosim.points import Experiment, Point, PointResult
from twinbench.core.cosim.simulate import Block, Outcome, StopCondition, simulate
from twinbench.core.cosim.system import Signal, System

__all__ = [
    "LOOP_CHOICES",
    "SCHEMES",
    "Block",
    "Coupling",
    "Experiment",
    "Instance",
    "Outcome",
    "Point",
    "PointResult",
    "Signal",
    "StopCondition",
    "System",
    "find_loops",
    "loop_findings",
    "propagation_order",
    "simulate",
]
