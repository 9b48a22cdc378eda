"""SSP archives: FMUs, their wiring and their start values in one file that other tools open too.

The standard is System Structure and Parameterization, https://ssp-standard.org; 1.0 and 2.0 are read, and whichever is
needed is written.

xml          opens a document that may be hostile
reading      SystemStructure.ssd -> components, connections, start values
parameters   bindings (.ssv) and mappings (.ssm) of parameters
writing      models and wiring -> archive
"""

from twinbench.adapters.ssp.reading import STRUCTURE_NAME, Component, Structure, read_structure
from twinbench.adapters.ssp.writing import write_ssp

__all__ = ["STRUCTURE_NAME", "Component", "Structure", "read_structure", "write_ssp"]
