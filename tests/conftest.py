"""What all tests share: an Airflow home of their own, and property tests that are not judged by their speed."""

import atexit
import gc
import os
import shutil
import tempfile

from hypothesis import settings

# Airflow reads these when it is first imported, which any test module may do.
_HOME = tempfile.mkdtemp(prefix="twinbench-airflow-")
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
os.environ.update(
    AIRFLOW_HOME=_HOME,
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__DAGS_FOLDER=os.path.join(os.path.dirname(os.path.dirname(__file__)), "dags"),
    AIRFLOW__CORE__PLUGINS_FOLDER=os.path.join(os.path.dirname(os.path.dirname(__file__)), "plugins"),
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{_HOME}/airflow.db",
    AIRFLOW__LOGGING__LOGGING_LEVEL="WARNING",
)

settings.register_profile("twinbench", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=20)  # make check
settings.load_profile("twinbench")

REAL_SERVICES = {"broker", "postgres", "sftp", "running_lab"}


def pytest_itemcollected(item):
    """Mark what starts a real service, so that `make check` can leave it to `make test`."""
    if REAL_SERVICES & set(item.fixturenames):
        item.add_marker("stack")


def pytest_collection_finish():
    """What was loaded stays to the end: looking through it again and again for garbage takes an eighth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)
