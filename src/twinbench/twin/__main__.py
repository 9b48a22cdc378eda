"""``python -m twinbench.twin``: run the reference digital twin until it is told to stop."""

import sys

from twinbench.adapters.environment import Settings
from twinbench.core.errors import LabError
from twinbench.twin.service import run

try:
    run(Settings.from_environment())
except LabError as error:
    sys.exit(f"error: {error}")
