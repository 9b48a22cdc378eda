"""Opens the lab for commands that look into it: the local one, unless the environment names another."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from twinbench.core.errors import LabError

if TYPE_CHECKING:
    from twinbench.workflow.lab import Lab

__all__ = ["open_this_lab"]


def open_this_lab() -> Lab:
    """The lab behind the TWINBENCH_ variables if those are set, else the local one.

    Raises:
        LabError: If there is none.
    """
    from twinbench.adapters.environment import Settings
    from twinbench.orchestration.opening import open_lab
    from twinbench.stack import parties
    from twinbench.stack.site import Site

    if "TWINBENCH_DATABASE_URL" in os.environ:
        return open_lab()
    site = Site.find()
    if not site.ports:
        raise LabError("There is no local lab yet: `twinbench up` starts one; or set the variables of another.")
    return open_lab(Settings({**Settings.from_environment().variables, **parties.lims_environment(site)}))
