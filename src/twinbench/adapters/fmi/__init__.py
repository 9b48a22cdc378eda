"""FMUs: checked as strangers' work, loaded as C libraries, run alone or wired. The only package that imports FMPy.

archive      unpacks what may be hostile
description  reads what an FMU says about itself
library      whether a binary can be loaded
trial        tries FMUs in processes of their own
staging      folder or zip -> checked, unpacked bundle
interface    the C functions of FMI 2.0 and 3.0
instances    one FMU, from its first instance to its last
session      wired FMUs that are run again and again in one process
worker       what a worker process does
slots        worker processes that may crash
crew         many points on several processes
opening      opens one FMU, or a wired bundle, in this process
"""

from twinbench.adapters.fmi.instances import FmuInstance
from twinbench.adapters.fmi.opening import open_instance, open_system
from twinbench.adapters.fmi.staging import BundleCheck, StagedBundle, check_bundle, inspect_archive, open_bundle

__all__ = [
    "BundleCheck",
    "FmuInstance",
    "StagedBundle",
    "check_bundle",
    "inspect_archive",
    "open_bundle",
    "open_instance",
    "open_system",
]
