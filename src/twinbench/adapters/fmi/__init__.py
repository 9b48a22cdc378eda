"""FMUs: checked as strangers' work, loaded as C libraries, run alone or wired. The only package that imports FMPy.

archive      unpacks what may be hostile
description  reads what an FMU says about itself
library      whether a binary can be mapped
staging      folder or zip -> checked, unpacked bundle
interface    the C functions of FMI 2.0 and 3.0
instances    one running FMU
opening      opens one FMU, or a wired bundle
"""

from twinbench.adapters.fmi.instances import FmuInstance
from twinbench.adapters.fmi.opening import open_instance, open_system
from twinbench.adapters.fmi.staging import BundleCheck, check_bundle, inspect_archive

__all__ = ["BundleCheck", "FmuInstance", "check_bundle", "inspect_archive", "open_instance", "open_system"]
