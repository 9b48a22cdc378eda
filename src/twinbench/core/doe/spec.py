"""What is asked of a design of experiment: its factors and constraints, the kind of design, and how runs are arranged.

kind         how test points are chosen (:class:`Kind`)
aim          what the experiment is for; with it and without a kind, a design is recommended
replicates   how often each test point is run
blocks       runs that belong together, such as a batch of cells or a chamber; what they have in common is told apart
             from the factors
whole plots  runs between which a factor that is hard to change keeps its setting (a split-plot design)
existing     runs that were made already; the design adds to them
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from twinbench.core.doe.factors import Factor, Level, count, flag, listed, number
from twinbench.core.doe.recommendation import Aim, recommend
from twinbench.core.errors import DesignError
from twinbench.core.suggestion import did_you_mean

__all__ = ["MAX_RUNS", "Aim", "DesignSpec", "Kind"]

MAX_RUNS = 2000
"""More test points than this are a typing error, not an experiment."""

_RESERVED = ("run", "block", "whole_plot", "round")  # columns of runs.csv
_FACES = ("faced", "inscribed", "circumscribed")
_CRITERIA = ("distance", "discrepancy")


class Kind(StrEnum):
    """How test points are chosen."""

    LATIN_HYPERCUBE = "latin-hypercube"
    SOBOL = "sobol"
    HALTON = "halton"
    FULL_FACTORIAL = "full-factorial"
    FRACTIONAL_FACTORIAL = "fractional-factorial"
    PLACKETT_BURMAN = "plackett-burman"
    DEFINITIVE_SCREENING = "definitive-screening"
    CENTRAL_COMPOSITE = "central-composite"
    BOX_BEHNKEN = "box-behnken"
    D_OPTIMAL = "d-optimal"
    A_OPTIMAL = "a-optimal"
    I_OPTIMAL = "i-optimal"
    FIXED = "fixed"

    @property
    def is_optimal(self) -> bool:
        """Whether points are exchanged until the model is estimated best."""
        return self in (Kind.D_OPTIMAL, Kind.A_OPTIMAL, Kind.I_OPTIMAL)

    @property
    def fills_space(self) -> bool:
        """Whether points are spread over the whole region."""
        return self in (Kind.LATIN_HYPERCUBE, Kind.SOBOL, Kind.HALTON)

    @property
    def needs_runs(self) -> bool:
        """Whether the number of runs has to be said: nothing else decides it."""
        return self.fills_space or self.is_optimal or self is Kind.FIXED


@dataclass(frozen=True)
class DesignSpec:
    """What is asked of a design.

    Attributes:
        runs: Number of test points, before replicates and centre points; None where the kind itself decides it.
        constraints: Conditions in the factors' names that every run must meet.
        model: Terms that the runs are to estimate, or a name of :data:`~twinbench.core.doe.terms.MODELS`; None: the
            largest that the kind is for.
        criterion: Of a Latin hypercube: ``distance`` keeps runs apart, ``discrepancy`` spreads them evenly.
        face: Of a central-composite design: ``faced`` and ``inscribed`` stay within the ranges; the axial points of
            ``circumscribed`` lie beyond them.
        resolution: Of a fractional factorial: the lowest it may have; None: the highest that the runs allow.
        generators: Of a fractional factorial: ``("D=ABC",)``, the factors named A, B, C in their order (without I).
        centre_points: Runs at the middle of all factors; None: as many as the kind usually has.
        blocks: Names of the blocks; empty: none.
        block_name: What a block is.
        whole_plots: How many settings the factors that are hard to change have; None: chosen.
        existing: Levels of runs that were made already.
        signal_to_noise: Size of the effect whose power is told, low to high, in standard deviations of the noise.
        reason: Why this kind was recommended; empty if it was asked for.
    """

    factors: tuple[Factor, ...]
    kind: Kind
    runs: int | None
    seed: int = 1
    constraints: tuple[str, ...] = ()
    model: str | tuple[str, ...] | None = None
    criterion: str = "distance"
    face: str = "faced"
    resolution: int | None = None
    generators: tuple[str, ...] = ()
    replicates: int = 1
    centre_points: int | None = None
    blocks: tuple[str, ...] = ()
    block_name: str = "block"
    whole_plots: int | None = None
    randomise: bool = True
    existing: tuple[Mapping[str, Level], ...] = ()
    signal_to_noise: float = 2.0
    reason: str = ""

    def __post_init__(self) -> None:
        names = [factor.name for factor in self.factors]
        duplicates = sorted({name for name in names if names.count(name) > 1})
        if duplicates:
            raise DesignError(f"Factor {', '.join(duplicates)} is given more than once: keep one of each name.")
        if reserved := [name for name in names if name in _RESERVED]:
            raise DesignError(f"A factor is named {reserved[0]}, as is a column of runs.csv: give it another name.")
        if self.runs is not None and not 1 <= self.runs <= MAX_RUNS:
            raise DesignError(f"{self.runs} runs are asked for: ask for 1 to {MAX_RUNS}.")
        if self.seed < 0:
            raise DesignError(f"The seed is {self.seed}: use 0 or a positive whole number.")
        self._check_choices()
        self._check_kind()
        self._check_arrangement()

    def _check_choices(self) -> None:
        for what, value, choices in (("face", self.face, _FACES), ("criterion", self.criterion, _CRITERIA)):
            if value not in choices:
                raise DesignError(f"There is no {what} {value!r}: {did_you_mean(value, choices)}")
        if not 1 <= self.replicates <= MAX_RUNS:
            raise DesignError(f"{self.replicates} replicates are asked for: ask for 1 to {MAX_RUNS}.")
        if self.runs is not None and self.kind.needs_runs and self.runs * self.replicates > MAX_RUNS:
            raise DesignError(
                f"This {self.kind} design has {self.runs * self.replicates} runs, more than {MAX_RUNS}: ask for fewer "
                "runs or replicates."
            )
        if self.centre_points is not None and not 0 <= self.centre_points <= MAX_RUNS:
            raise DesignError(f"{self.centre_points} centre points are asked for: ask for 0 to {MAX_RUNS}.")
        if self.resolution is not None and not 3 <= self.resolution <= 7:
            raise DesignError(f"The resolution is {self.resolution}: ask for 3 to 7.")
        if not 0 < self.signal_to_noise <= 1000:
            raise DesignError(
                f"signal_to_noise is {self.signal_to_noise:g}: give the effect over the noise, such as 2."
            )

    def _check_kind(self) -> None:
        names = ", ".join(factor.name for factor in self.varying)
        if self.kind is Kind.FIXED and names:
            raise DesignError(f"A fixed design cannot vary {names}: set low = high, or ask for latin-hypercube.")
        if self.kind is not Kind.FIXED and not names:
            raise DesignError(f"A {self.kind} design needs a factor with low < high: there is none; ask for fixed.")
        if self.kind is Kind.CENTRAL_COMPOSITE and len(self.varying) == 1:
            raise DesignError(
                f"A central-composite design needs two varying factors and has only {names}: "
                "ask for full-factorial with levels 3."
            )
        if self.kind.needs_runs and self.runs is None:
            raise DesignError(f"A {self.kind} design needs a number of runs: set runs.")
        if self.existing and not (self.kind.is_optimal or self.kind is Kind.LATIN_HYPERCUBE):
            raise DesignError(
                f"A {self.kind} design cannot add to existing runs: ask for d-optimal or latin-hypercube."
            )

    def _check_arrangement(self) -> None:
        hard = [factor.name for factor in self.varying if factor.hard_to_change]
        if self.whole_plots is not None and not hard:
            raise DesignError(
                f"{self.whole_plots} whole plots are asked for, and no factor is hard_to_change: mark one."
            )
        if self.whole_plots is not None and not 1 <= self.whole_plots <= MAX_RUNS:
            raise DesignError(f"{self.whole_plots} whole plots are asked for: ask for 2 or more, but fewer than runs.")
        if hard and self.blocks:
            raise DesignError(
                f"Blocks and a factor that is hard to change ({hard[0]}) are asked for at once: make the block a "
                "factor with categories that is hard_to_change."
            )
        if len(self.blocks) == 1 or len(set(self.blocks)) < len(self.blocks):
            raise DesignError(f"The blocks are {', '.join(self.blocks)}: name two or more, each once.")
        if self.blocks and self.block_name in [factor.name for factor in self.factors]:
            raise DesignError(f"The blocks are named {self.block_name}, as is a factor: give them another name.")

    @property
    def varying(self) -> tuple[Factor, ...]:
        """The factors in which runs differ."""
        return tuple(factor for factor in self.factors if factor.varies)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> DesignSpec:
        """Read ``{factors: [...], runs, seed, kind, ...}``, see ``include/schemas/doe_spec.schema.json``.

        Without a kind, one is recommended for the ``aim``.

        Raises:
            DesignError: If it asks for something that cannot be, naming the value and what to do.
        """
        if not isinstance(document, Mapping) or not isinstance(document.get("factors"), list):
            raise DesignError("A design specification is an object with a list of factors: {factors: [...], runs, …}.")
        known = (*cls.__dataclass_fields__, "aim", "sequential")
        if unknown := [str(key) for key in document if key not in known or key == "block_name"]:
            raise DesignError(f"The design has a field {unknown[0]!r}: {did_you_mean(unknown[0], known)}")
        factors = tuple(Factor.from_document(factor) for factor in document["factors"])
        owner = "The design"
        optional: dict[str, Any] = {
            key: None if document.get(key) is None else count(document, key, owner, default=1)
            for key in ("runs", "resolution", "centre_points", "whole_plots")
        }
        texts: dict[str, Any] = {
            key: tuple(str(text) for text in listed(document, key, owner)) for key in ("constraints", "generators")
        }
        kind, optional["runs"], reason = _kind(document, factors, optional["runs"])
        return cls(
            factors=factors,
            kind=kind,
            reason=reason,
            seed=count(document, "seed", owner, default=1),
            model=_model(document.get("model")),
            criterion=str(document.get("criterion", "distance")),
            face=str(document.get("face", "faced")),
            replicates=count(document, "replicates", owner, default=1),
            randomise=flag(document, "randomise", owner, default=True),
            existing=tuple(_existing(run, factors) for run in listed(document, "existing", owner)),
            signal_to_noise=number(document.get("signal_to_noise", 2.0), "signal_to_noise", owner),
            **_blocks(document.get("blocks")),
            **optional,
            **texts,
        )

    def as_document(self) -> dict[str, Any]:
        """As JSON; what was not chosen is left out."""
        document: dict[str, Any] = {
            "factors": [factor.as_document() for factor in self.factors],
            "runs": self.runs,
            "seed": self.seed,
            "kind": self.kind.value,
        }
        for name, field in self.__dataclass_fields__.items():
            value = getattr(self, name)
            if name not in document and name not in ("blocks", "block_name") and value != field.default:
                document[name] = [dict(run) for run in value] if name == "existing" else _plain(value)
        if self.blocks:
            document["blocks"] = {"name": self.block_name, "levels": list(self.blocks)}
        return document


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _kind(document: Mapping[str, Any], factors: tuple[Factor, ...], runs: int | None) -> tuple[Kind, int | None, str]:
    """The kind that is asked for, or the one recommended for the aim with its number of runs and the reason."""
    name = document.get("kind")
    if name is None and document.get("aim") is not None:
        aim = str(document["aim"])
        if aim not in list(Aim):
            raise DesignError(f"There is no aim {aim!r}: {did_you_mean(aim, Aim)}")
        found = recommend(factors, Aim(aim), runs, constrained=bool(document.get("constraints")))
        kind = Kind(found.kind)
        decides = kind.needs_runs or kind in (Kind.FRACTIONAL_FACTORIAL, Kind.PLACKETT_BURMAN)
        return kind, found.runs if decides else None, found.reason
    try:
        return Kind(str(Kind.LATIN_HYPERCUBE if name is None else name)), runs, str(document.get("reason", ""))
    except ValueError:
        raise DesignError(f"There is no design kind {name!r}: {did_you_mean(str(name), Kind)}") from None


def _model(model: object) -> str | tuple[str, ...] | None:
    if model is None or isinstance(model, str):
        return model
    if isinstance(model, list) and model and all(isinstance(term, str) for term in model):
        return tuple(model)
    raise DesignError(f"The design has model {model!r}: give linear, interactions, quadratic or a list of terms.")


def _blocks(blocks: object) -> dict[str, Any]:
    """Blocks are a number, a list of names, or a name with a list."""
    if blocks is None:
        return {}
    name = "block"
    if isinstance(blocks, Mapping):
        name, blocks = str(blocks.get("name", name)), blocks.get("levels")
    if isinstance(blocks, int) and not isinstance(blocks, bool) and 2 <= blocks <= MAX_RUNS:
        blocks = [str(number) for number in range(1, blocks + 1)]
    if not (isinstance(blocks, list) and blocks):
        raise DesignError(f"The design has blocks {blocks!r}: give a number of 2 or more, or a list of names.")
    return {"blocks": tuple(str(block) for block in blocks), "block_name": name}


def _existing(run: object, factors: tuple[Factor, ...]) -> dict[str, Level]:
    if not isinstance(run, Mapping) or any(factor.name not in run for factor in factors if factor.varies):
        names = ", ".join(factor.name for factor in factors if factor.varies)
        raise DesignError(f"An existing run is {run!r}: give an object with a level of {names}.")
    known = [factor.name for factor in factors]
    if unknown := [str(name) for name in run if name not in known]:
        raise DesignError(f"An existing run sets {unknown[0]!r}, no factor: {did_you_mean(unknown[0], known)}")
    for factor in factors:
        if factor.name in run:
            factor.share(run[factor.name])
    return {factor.name: run[factor.name] for factor in factors if factor.name in run}
