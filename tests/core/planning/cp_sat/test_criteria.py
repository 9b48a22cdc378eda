"""The model that CP-SAT gets of a lab is the same in every process."""

import os
import subprocess
import sys

MODEL = """
from twinbench.core.planning.cp_sat.model import PlanModel
from twinbench.core.planning.problem import CRITERIA, Bench, Demand, Job, Mode, Problem, Resource

people = tuple(Resource(name, person=True) for name in ("Ada", "Bob", "Eve"))
modes = [Mode(bench, 5, demands=tuple(Demand(one.name) for one in people)) for bench in ("b1", "b2")]
jobs = [
    Job(name, tuple(modes), due_min=3, preferred_min=2, planned_min=1, unit="cell", project="apollo", family=name)
    for name in ("hot", "cold", "warm")
]
table = {("hot", "cold"): 5, ("cold", "hot"): 7, ("warm", "cold"): 2}
benches = (Bench("b1", changeovers="t"), Bench("b2", changeovers="t"))
problem = Problem(tuple(jobs), benches, people, {"t": table}, tuple({name: 1} for name in CRITERIA))
print(PlanModel(problem, ()).model.proto)
"""


def test_it_does_not_depend_on_how_python_orders_sets():
    models = [
        subprocess.run(
            [sys.executable, "-c", MODEL],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    ]

    assert "makespan" in models[0]
    assert models[0] == models[1] == models[2]
