"""The lab's catalogue: what a request can choose from, and what fits together.

A test *applies* to a unit under test (UUT) and a use case if its standard says so; whether the lab also has a procedure
for it is the business of :mod:`twinbench.core.battery.procedures`. The caller reads the files of ``include/catalogue``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from twinbench.core.bench_choice import BenchChoice
from twinbench.core.catalogue_entries import Bench, CatalogueTest, Standard, UnitUnderTest, UseCase
from twinbench.core.errors import ConfigurationError, DesignError, RequestError
from twinbench.core.findings import Finding, Severity
from twinbench.core.suggestion import did_you_mean

__all__ = ["Bench", "Catalogue", "CatalogueTest", "Standard", "UnitUnderTest", "UseCase"]

_Entry = TypeVar("_Entry")
_EQUAL: Mapping[str, Any] = {  # a lab without a rule: whatever ends first
    "fidelity": {"virtual": 1, "physical": 1},
    "required": [],
    "cost_per_h": {"virtual": 0, "physical": 0},
    "cost_of_a_day": 1,
}


@dataclass(frozen=True)
class Catalogue:
    """Everything a request can choose from, and what its plan has to go by.

    Attributes:
        choice: How a test point that may go to either kind of bench gets its bench.
        resources: What benches share, as in ``lab_plan.schema.json``: ``{timezone, holidays, resources}``.
    """

    tests: tuple[CatalogueTest, ...]
    uuts: tuple[UnitUnderTest, ...]
    use_cases: tuple[UseCase, ...]
    standards: tuple[Standard, ...]
    benches: tuple[Bench, ...]
    choice: BenchChoice = field(default_factory=lambda: BenchChoice.from_document(_EQUAL))
    resources: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _refuse_duplicates("test", (f"{test.standard} {test.name}" for test in self.tests))
        _refuse_duplicates("unit under test", (uut.code for uut in self.uuts))
        _refuse_duplicates("bench", (bench.name for bench in self.benches))
        known = {standard.code for standard in self.standards} | {use_case.name for use_case in self.use_cases}
        for test in self.tests:
            unknown = {test.standard, *test.use_cases} - known
            if unknown:
                raise ConfigurationError(
                    f"Test {test.name!r} of {test.standard} refers to {', '.join(sorted(unknown))}, which the "
                    "catalogue does not have: add it to standards.json or use_cases.json, or mend tests.csv."
                )

    @classmethod
    def from_documents(
        cls,
        *,
        tests: Sequence[Mapping[str, str]],
        uuts: Sequence[Mapping[str, Any]],
        use_cases: Sequence[Mapping[str, Any]],
        standards: Sequence[Mapping[str, Any]],
        benches: Sequence[Mapping[str, Any]],
        bench_choice: Mapping[str, Any] | None = None,
        resources: Mapping[str, Any] | None = None,
    ) -> Catalogue:
        """Build the catalogue from its files' contents: rows of ``tests.csv``, lists and objects of the JSON files.

        Raises:
            ConfigurationError: If an entry is malformed, naming it.
        """
        return cls(
            tests=_entries("tests.csv", tests, CatalogueTest.from_document),
            uuts=_entries("uuts.json", uuts, lambda document: UnitUnderTest(**document)),
            use_cases=_entries("use_cases.json", use_cases, lambda document: UseCase(**document)),
            standards=_entries("standards.json", standards, lambda document: Standard(**document)),
            benches=_entries("benches.json", benches, Bench.from_document),
            choice=BenchChoice.from_document(bench_choice or _EQUAL),
            resources=resources or {},
        )

    def uut(self, code: str) -> UnitUnderTest:
        """The unit under test of that code."""
        return _find("unit under test", code, {uut.code: uut for uut in self.uuts})

    def use_case(self, name: str) -> UseCase:
        """The use case of that name."""
        return _find("use case", name, {use_case.name: use_case for use_case in self.use_cases})

    def standard(self, code: str) -> Standard:
        """The standard of that code."""
        return _find("standard", code, {standard.code: standard for standard in self.standards})

    def bench(self, name: str) -> Bench:
        """The bench of that name."""
        return _find("bench", name, {bench.name: bench for bench in self.benches})

    def test(self, standard: str, test_name: str) -> CatalogueTest:
        """The test of that standard and name.

        Raises:
            RequestError: If there is none; says what comes closest, or which standards have it.
        """
        self.standard(standard)
        of_standard = {test.name: test for test in self.tests if test.standard == standard}
        others = [test.standard for test in self.tests_named(test_name)]
        if test_name not in of_standard and others:
            text = f"{test_name!r} is not a test of {standard} but of {', '.join(others)}"
            hint = f"ask for that standard, or for one of {standard}'s: {', '.join(of_standard)}"
            finding = Finding("REQUEST-STANDARD", Severity.ERROR, "test_name", text, hint)
            raise RequestError(f"{text}: {hint}.", findings=[finding])
        return _find(f"test of {standard}", test_name, of_standard)

    def tests_named(self, test_name: str) -> tuple[CatalogueTest, ...]:
        """All tests of that name, whatever their standard."""
        return tuple(test for test in self.tests if test.name == test_name)

    def applicable_tests(self, uut: str, use_case: str, standard: str) -> tuple[CatalogueTest, ...]:
        """What a request may ask for after these three choices (path 2 of D6.4)."""
        level, purpose, code = self.uut(uut).level, self.use_case(use_case).name, self.standard(standard).code
        return tuple(
            test for test in self.tests if test.standard == code and test.applies_to(level=level, use_case=purpose)
        )


def _find(what: str, key: str, entries: Mapping[str, _Entry]) -> _Entry:
    if key not in entries:
        raise RequestError(f"There is no {what} {key!r}: {did_you_mean(key, entries)}")
    return entries[key]


def _entries(
    file: str, documents: Sequence[Mapping[str, Any]], read: Callable[[Mapping[str, Any]], _Entry]
) -> tuple[_Entry, ...]:
    entries = []
    for number, document in enumerate(documents, 1):
        try:
            entries.append(read(document))
        except (KeyError, TypeError, ValueError, AttributeError, DesignError) as error:
            raise ConfigurationError(f"Entry {number} of {file} is malformed: {error}. It reads {document}.") from error
    return tuple(entries)


def _refuse_duplicates(what: str, names: Iterable[str]) -> None:
    duplicates = [name for name, count in Counter(names).items() if count > 1]
    if duplicates:
        raise ConfigurationError(f"The catalogue has {what} {', '.join(duplicates)} more than once: keep one of each.")
