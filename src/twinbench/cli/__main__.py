"""``python -m twinbench.cli``."""

from twinbench.cli import main

main()
