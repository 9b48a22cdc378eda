"""The registry gives the newest models that fit a request, and says what it has when nothing does."""

import hashlib

import pytest

from twinbench.core.errors import ConfigurationError, RequestError
from twinbench.twin.registry import Registry, seed_registry

AGEING, SAFETY = "Performance and ageing", "Safety and reliability"


@pytest.fixture
def registry(tmp_path):
    root = tmp_path / "registry"

    def shelve(place: str, *names: str):
        (root / place).mkdir(parents=True, exist_ok=True)
        for name in names:
            (root / place / name).write_text(f"{place}/{name}")

    registry = Registry(root)
    registry.shelve = shelve
    return registry


def default(category=AGEING, level="Cell", chemistry="Gen3b", kind="Physics-based", test="default"):
    return f"{category}/{level}/{chemistry}/{kind}/{test}"


def chosen(registry, test_name="Performance - Capacity", uut="Gen3b - Cell"):
    bundle = registry.choose(test_name=test_name, uut=uut)
    return [(model.name, model.version) for model in bundle.models], bundle.wiring


def test_the_newest_version_counts_as_numbers_count(registry):
    registry.shelve(default(), *(f"M_{version}.fmu" for version in ("1.9", "1.10", "1.2", "0.99")))
    registry.shelve(default(), "inter_connection_1.0.json", "inter_connection_2.json", "M_2.0.fmu.part", "notes.txt")

    models, wiring = chosen(registry)

    assert models == [("M.fmu", "1.10")]
    assert (wiring.name, wiring.version) == ("inter_connection.json", "2")


def test_each_model_has_its_own_newest_version_and_underscores_in_names_are_kept(registry):
    registry.shelve(default(), "FMU_Battery_Model_1.0.fmu", "FMU_Battery_Model_2.0.fmu", "FMU_Input_Handler_1.1.fmu")
    registry.shelve(default(), "inter_connection_1.0.json")

    assert chosen(registry)[0] == [("FMU_Battery_Model.fmu", "2.0"), ("FMU_Input_Handler.fmu", "1.1")]


def test_the_tests_own_models_come_before_the_default_ones_of_its_category_before_those_of_the_other(registry):
    registry.shelve(default(SAFETY), "M_1.fmu", "inter_connection_1.json")
    assert chosen(registry)[0] == [("M.fmu", "1")]

    registry.shelve(default(AGEING), "M_2.fmu", "inter_connection_1.json")
    assert chosen(registry)[0] == [("M.fmu", "2")]
    assert chosen(registry, "Electrical - Overcharge")[0] == [("M.fmu", "1")]

    registry.shelve(default(AGEING, test="performance capacity"), "M_3.fmu", "inter_connection_1.json")
    assert chosen(registry)[0] == [("M.fmu", "3")]
    assert chosen(registry, "Ageing - Cycle life")[0] == [("M.fmu", "2")]


def test_physics_comes_before_data(registry):
    registry.shelve(default(kind="Data-driven"), "M_9.fmu", "inter_connection_1.json")
    registry.shelve(default(kind="Physics-based"), "M_1.fmu", "inter_connection_1.json")

    assert chosen(registry)[0] == [("M.fmu", "1")]


@pytest.mark.parametrize("names", [("M_1.fmu",), ("inter_connection_1.json",), ("M.fmu", "inter_connection_1.json")])
def test_a_folder_that_holds_no_bundle_is_passed_over(registry, names):
    registry.shelve(default(test="Performance - Capacity"), *names)
    registry.shelve(default(), "N_1.fmu", "inter_connection_1.json")

    assert chosen(registry)[0] == [("N.fmu", "1")]


def test_generation_4_is_solid_state(registry):
    registry.shelve(default(chemistry="Solid-state", level="Pack"), "M_1.fmu", "inter_connection_1.json")

    assert chosen(registry, uut="Gen4 - Pack")[0] == [("M.fmu", "1")]


@pytest.mark.parametrize("uut", ["Gen4 - Pack", "Gen3b - Module", "Gen3b", "../../etc", ""])
def test_when_nothing_fits_the_unit_it_is_said_what_there_is(registry, uut):
    registry.shelve(default(), "M_1.fmu", "inter_connection_1.json")

    with pytest.raises(RequestError, match=rf"No model for '{uut}': the registry has Gen3b - Cell\."):
        registry.choose(test_name="Performance - Capacity", uut=uut)


def test_when_nothing_fits_the_test_it_is_said_for_which_tests_there_are_models(registry):
    registry.shelve(default(test="Electrical - Overcharge"), "M_1.fmu", "inter_connection_1.json")

    with pytest.raises(RequestError, match=r"'Performance - Capacity'.*has models for Electrical - Overcharge"):
        registry.choose(test_name="Performance - Capacity", uut="Gen3b - Cell")


def test_an_empty_registry_says_so(registry):
    with pytest.raises(RequestError, match="no models at all"):
        registry.choose(test_name="Performance - Capacity", uut="Gen3b - Cell")


def test_the_shipped_models_are_laid_out_and_renewed(fmus, tmp_path):
    registry = tmp_path / "registry"
    seed_registry(fmus, registry)
    (fmus / "FMU_Battery_Model.fmu").write_bytes(b"rebuilt")
    seed_registry(fmus, registry)

    bundle = Registry(registry).choose(test_name="Electrical - Overcharge", uut="Gen3b - Cell")
    described = {model["file"]: model for model in bundle.described()}
    assert set(described) == {"FMU_Input_Handler.fmu", "FMU_Battery_Model.fmu", "FMU_Output_Handler.fmu"}
    assert described["FMU_Battery_Model.fmu"] == {
        "file": "FMU_Battery_Model.fmu",
        "version": "1.0",
        "sha256": hashlib.sha256(b"rebuilt").hexdigest(),
    }
    assert len(list(registry.rglob("*_*.*"))) == 3 * 4


def test_a_newer_model_outlives_the_seeding(fmus, tmp_path):
    registry = tmp_path / "registry"
    seed_registry(fmus, registry)
    newer = next(registry.rglob("FMU_Battery_Model_1.0.fmu")).with_name("FMU_Battery_Model_1.1.fmu")
    newer.write_text("newer")
    seed_registry(fmus, registry)

    bundle = Registry(registry).choose(test_name="Performance - Capacity", uut="Gen3b - Cell")
    assert {model.version for model in bundle.models} == {"1.0", "1.1"}


def test_without_shipped_models_the_remedy_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match="`make fmus`"):
        seed_registry(tmp_path, tmp_path / "registry")
