"""A lab is opened from its settings: each port gets its adapter, and nothing is connected to before it is needed."""

import inspect
import json
import shutil
import typing
from datetime import UTC, timedelta

import pytest

from tests.broker import free_port
from tests.fakes import INCLUDE
from twinbench.adapters.environment import Settings
from twinbench.core.errors import ConfigurationError, UnreachableError
from twinbench.orchestration.opening import open_lab, read_catalogue, read_schemas
from twinbench.workflow.lab import Lab


@pytest.fixture
def variables(tmp_path):
    """Settings of a lab at whose addresses nobody listens."""
    (tmp_path / "known_hosts").write_text("")
    return {
        "TWINBENCH_MQTT_URL": f"mqtt://lims:x@127.0.0.1:{free_port()}",
        "TWINBENCH_SFTP_URL": f"sftp://lims@127.0.0.1:{free_port()}/pool",
        "TWINBENCH_SFTP_KEY": str(tmp_path / "key"),
        "TWINBENCH_SFTP_KNOWN_HOSTS": str(tmp_path / "known_hosts"),
        "TWINBENCH_DATABASE_URL": f"postgresql://lims:x@127.0.0.1:{free_port()}/lims",
        "TWINBENCH_STORAGE_URL": (tmp_path / "storage").as_uri(),
    }


def methods_of(port):
    return {name for name, value in vars(port).items() if inspect.isfunction(value) and not name.startswith("_")}


def test_each_port_has_an_adapter_with_all_of_its_methods(variables):
    lab = open_lab(Settings(variables))

    ports = {name: port for name, port in typing.get_type_hints(Lab).items() if getattr(port, "_is_protocol", False)}
    assert ports.keys() >= {"requests", "store", "pool", "wire", "telemetry", "bookings", "models"}
    for name, port in ports.items():
        assert methods_of(port), name
        assert {method for method in methods_of(port) if not callable(getattr(getattr(lab, name), method))} == set()


def test_services_are_asked_only_when_they_are_needed(variables):
    lab = open_lab(Settings(variables))

    with pytest.raises(UnreachableError):
        lab.requests.get("a request")
    with pytest.raises(UnreachableError):
        lab.wire.ask_twin("a-request", {}, timeout_s=1)
    lab.store.write("a/b.txt", "text")
    assert lab.store.keys("a") == ["a/b.txt"]


def test_a_lab_knows_the_time_and_what_computes_its_results(variables):
    lab = open_lab(Settings(variables))

    assert lab.now().utcoffset() == timedelta(0)
    assert lab.now().tzinfo is UTC
    assert lab.versions.keys() >= {"twinbench", "python", "fmpy", "ortools", "apache-airflow"}
    assert all(version[0].isdigit() for version in lab.versions.values())


def test_the_settings_are_those_of_the_process_unless_said(variables, monkeypatch):
    for name, value in {**variables, "TWINBENCH_METRICS_TOPIC": "a/topic"}.items():
        monkeypatch.setenv(name, value)

    assert open_lab().wire.metrics_topic == "a/topic"


@pytest.mark.parametrize(
    "name",
    [
        "TWINBENCH_MQTT_URL",
        "TWINBENCH_SFTP_URL",
        "TWINBENCH_SFTP_KEY",
        "TWINBENCH_SFTP_KNOWN_HOSTS",
        "TWINBENCH_DATABASE_URL",
        "TWINBENCH_STORAGE_URL",
    ],
)
def test_a_lab_without_one_of_its_settings_is_not_opened(variables, name):
    del variables[name]

    with pytest.raises(ConfigurationError, match=f"{name} is not set"):
        open_lab(Settings(variables))


def test_catalogue_and_schemas_are_those_of_the_folder_that_is_set(variables, tmp_path):
    own = tmp_path / "include"
    shutil.copytree(INCLUDE / "schemas", own / "schemas")
    shutil.copytree(INCLUDE / "catalogue", own / "catalogue")
    benches = json.loads((own / "catalogue" / "benches.json").read_text())
    (own / "catalogue" / "benches.json").write_text(json.dumps(benches[:1]))
    (own / "schemas" / "own.schema.json").write_text('{"title": "Our own"}')

    lab = open_lab(Settings({**variables, "TWINBENCH_INCLUDE": str(own)}))

    assert [bench.name for bench in lab.catalogue.benches] == [benches[0]["name"]]
    assert lab.schemas["own"] == {"title": "Our own"}


def test_the_shipped_catalogue_and_every_shipped_schema_are_read():
    schemas = {path.name.removesuffix(".schema.json") for path in (INCLUDE / "schemas").iterdir()}

    assert read_schemas(INCLUDE).keys() == schemas
    assert {"test_request", "bench_status", "bench_event", "bench_telemetry"} <= schemas
    assert read_catalogue(INCLUDE).test("IEC62660", "Performance - Power").name == "Performance - Power"
