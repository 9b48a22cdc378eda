"""A program's settings are environment variables: each is documented, read somewhere, and named if it is missing."""

import re
from pathlib import Path

import pytest

from twinbench.adapters import environment
from twinbench.adapters.environment import Settings
from twinbench.core.errors import ConfigurationError
from twinbench.core.topics import METRICS

SOURCE = Path(environment.__file__).resolve().parents[1]
DOCUMENTED = re.findall(r"^ {4}(TWINBENCH_\w+)", environment.__doc__, re.M)
OF_THE_LOCAL_LAB = {"TWINBENCH_LAB", "TWINBENCH_LAB_PROCESS"}
PROPERTIES = [name for name, value in vars(Settings).items() if isinstance(value, property)]
OPTIONAL = {"mqtt_ca", "metrics_topic", "include", "bundle_patience_s", "workers", "run_deadline_s", "time_zone"}


class Asked(dict):
    """Variables that note which of them are asked for."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.names = []

    def get(self, name, default=None):
        self.names.append(name)
        return super().get(name, default)


def variable_of(name):
    """The variable that a property reads."""
    variables = Asked(dict.fromkeys(DOCUMENTED, "7"))
    getattr(Settings(variables), name)
    (asked,) = variables.names
    return asked


def read_in(path):
    """The variables that a module of ours names as a whole string."""
    return set(re.findall(r'"(TWINBENCH_\w+)"', path.read_text()))


@pytest.mark.parametrize("name", PROPERTIES)
def test_each_property_gives_the_documented_variable_of_its_name(name):
    variable = variable_of(name)

    assert variable == f"TWINBENCH_{name.upper()}"
    assert variable in DOCUMENTED
    assert str(getattr(Settings({variable: "7"}), name)) in ("7", "7.0")


@pytest.mark.parametrize("variable", DOCUMENTED)
def test_each_documented_variable_is_read_by_a_property_or_by_a_program(variable):
    readers = [path for path in SOURCE.rglob("*.py") if not path.is_relative_to(SOURCE / "stack")]

    assert any(variable in read_in(path) for path in readers)


def test_each_variable_that_is_read_is_documented():
    read = {name for path in SOURCE.rglob("*.py") for name in read_in(path)}

    assert read - OF_THE_LOCAL_LAB == set(DOCUMENTED)
    assert len(DOCUMENTED) == len(set(DOCUMENTED))


@pytest.mark.parametrize("name", sorted(set(PROPERTIES) - OPTIONAL))
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_variable_names_itself_and_the_remedy(name, value):
    variable = variable_of(name)
    settings = Settings({} if value is None else {variable: value})

    with pytest.raises(ConfigurationError, match=rf"{variable} is not set: .*`twinbench up`.*docs/servers\.md") as told:
        getattr(settings, name)

    assert not told.value.transient
    assert (SOURCE.parents[1] / "docs" / "servers.md").exists()


def test_what_may_be_left_out_has_the_projects_own_value():
    settings = Settings({"TWINBENCH_MQTT_CA": "", "TWINBENCH_METRICS_TOPIC": "", "TWINBENCH_INCLUDE": ""})

    assert settings.mqtt_ca is None
    assert settings.metrics_topic == METRICS
    assert (settings.include / "schemas" / "test_request.schema.json").exists()


def test_only_our_own_variables_are_taken_from_the_process(monkeypatch):
    monkeypatch.setenv("TWINBENCH_STORAGE_URL", "file:///here")
    monkeypatch.setenv("SOMEBODYS_SECRET", "x")

    settings = Settings.from_environment()

    assert settings.storage_url == "file:///here"
    assert all(name.startswith("TWINBENCH_") for name in settings.variables)
