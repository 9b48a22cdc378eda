"""``twinbench``: the lab on the command line.

    models     check, build, simulate: each works alone, without a lab
    files      design, plan: likewise
    lab        up, down, status, logs, demo, bench-agent
    requests   request submit, list, show, wait, cancel
    campaigns  campaign submit, list, show
    pool       pool list, assign: models that were dropped and are nobody's

Exit codes: 0 good, 1 findings or infeasible or an error of the lab, 2 usage. Commands import what they need when they
run, so that help comes at once.
"""

from __future__ import annotations

import click

from twinbench.cli import campaigns, files, lab, models, pool, requests
from twinbench.cli.options import LabGroup

__all__ = ["main"]


@click.group(cls=LabGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="twinbench")
def main() -> None:
    """Twinbench: an open hybrid battery test lab on Apache Airflow."""


for _command in (
    *(models.check, models.build, models.simulate, files.design, files.plan),
    *(lab.up, lab.down, lab.status, lab.logs, lab.demo),
    *(requests.request, campaigns.campaign, pool.pool, lab.bench_agent),
):
    main.add_command(_command)
