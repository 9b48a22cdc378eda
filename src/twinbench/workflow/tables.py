"""Tables of the rows of a run, written block by block: CSV or Parquet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from twinbench.core.cosim import Block

__all__ = ["CsvTable", "OpenTable", "ParquetTable", "Table"]


class Table(Protocol):
    """Takes the rows of a run."""

    def add(self, block: Block) -> None:
        """Append rows."""

    def __enter__(self) -> Table:
        """Open it."""

    def __exit__(self, *_: object) -> None:
        """Close it."""


OpenTable = Callable[[Path], Table]


class CsvTable:
    """CSV: ``time``, then one column per signal; numbers as short as they can be read back exactly."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._has_head = False

    def __enter__(self) -> CsvTable:
        self._file = self._path.open("w", encoding="utf-8", newline="\n")
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, block: Block) -> None:
        """Append rows."""
        if not self._has_head:
            self._file.write(",".join(["time", *(_quoted(signal.name) for signal in block.signals)]) + "\n")
            self._has_head = True
        rows = zip(block.time_s.tolist(), block.values.tolist(), strict=True)
        self._file.writelines(",".join(map(repr, [time_s, *values])) + "\n" for time_s, values in rows)


class ParquetTable:
    """Parquet: ``time``, then one column per signal, each with its unit in the field's metadata."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Any = None

    def __enter__(self) -> ParquetTable:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()

    def add(self, block: Block) -> None:
        """Append rows."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        if self._writer is None:
            units = {"time": "s", **{signal.name: signal.unit or "" for signal in block.signals}}
            fields = [pa.field(name, pa.float64(), metadata={"unit": unit}) for name, unit in units.items()]
            self._writer = pq.ParquetWriter(self._path, pa.schema(fields))
        columns = [block.time_s, *(block.values[:, number] for number in range(len(block.signals)))]
        self._writer.write_table(pa.table(columns, schema=self._writer.schema))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if any(sign in name for sign in ',"\n') else name
