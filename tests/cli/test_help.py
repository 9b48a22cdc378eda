"""Help comes at once: no command is loaded with the libraries it will need."""

import subprocess
import sys

HEAVY = {
    *("airflow", "asyncssh", "fmpy", "great_expectations", "httpx", "matplotlib", "numba", "numpy", "ortools"),
    *("paho", "pandas", "psycopg2", "pyDOE3", "pyarrow", "rich", "scipy", "sqlalchemy"),
}


def test_help_names_every_command_and_loads_nothing_heavy():
    code = (
        "import sys; from twinbench.cli import main; main(['--help'], standalone_mode=False); "
        "print('LOADED', *sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    text, _, loaded = done.stdout.rpartition("LOADED")

    assert all(f"  {name} " in text for name in ("check", "simulate", "design", "plan", "request", "up", "bench-agent"))
    assert "click" in loaded.split()
    assert HEAVY & set(loaded.split()) == set()
