"""What parsing each DAG file costs beyond ``import airflow.sdk``, in CPU seconds. Prints JSON.

python benchmarks/dag_parse.py [--times 5]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

DAGS = sorted((Path(__file__).resolve().parents[1] / "dags").glob("*.py"))
CODE = """
import runpy, sys, time
begin = time.process_time()
import airflow.sdk
imported = time.process_time()
runpy.run_path(sys.argv[1])
print(imported - begin, time.process_time() - imported)
"""


def measure(path: Path) -> tuple[float, float]:
    """CPU seconds of the import, and of the file."""
    done = subprocess.run([sys.executable, "-c", CODE, str(path)], capture_output=True, text=True, check=True)
    imported_s, parsed_s = map(float, done.stdout.split()[-2:])
    return imported_s, parsed_s


def main() -> None:
    """Measure each file several times, in fresh interpreters."""
    parser = argparse.ArgumentParser(description="Cost of parsing the DAG files.")
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args().times
    results = {}
    for path in DAGS:
        runs = [measure(path) for _ in range(times)]
        results[path.name] = {
            "import_airflow_sdk_s": round(statistics.median(run[0] for run in runs), 4),
            "parse_beyond_s": round(statistics.median(run[1] for run in runs), 4),
        }
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
