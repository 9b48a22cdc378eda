"""Builds the FMUs of this folder with gcc.

    python models/build_fmus.py [--output include/fmus]

A model is a folder with a ``modelDescription.xml``; its C sources and those of ``fmi3_component`` make its binary. The
instantiation token is a hash of all of them, so a binary cannot be taken for one of other sources. The same sources
give the same FMU, byte for byte, with the same compiler: entries are sorted and carry no time.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import fmpy

MODELS = Path(__file__).resolve().parent
COMPONENT = MODELS / "fmi3_component"
HEADERS = Path(fmpy.__file__).parent / "c-code"
FLAGS = [
    *("-std=c11", "-D_DEFAULT_SOURCE", "-O2", "-fPIC", "-shared", "-ffp-contract=off", "-s", "-Wl,--build-id=none"),
    *("-Wall", "-Wextra", "-Wno-missing-field-initializers", "-Werror"),
]
TOKEN = "@INSTANTIATION_TOKEN@"


def main() -> None:
    """Build all models."""
    parser = argparse.ArgumentParser(description="Build the FMUs of models/.")
    parser.add_argument("--output", type=Path, default=MODELS.parent / "include" / "fmus")
    output = parser.parse_args().output
    if not shutil.which("gcc"):
        sys.exit("gcc is missing: install it (Debian: apt-get install gcc libc6-dev), then run this again.")
    output.mkdir(parents=True, exist_ok=True)
    for description in sorted(MODELS.glob("*/modelDescription.xml")):
        fmu = build(description.parent, output)
        digest = hashlib.sha256(fmu.read_bytes()).hexdigest()
        print(f"{fmu}  {fmu.stat().st_size:,} bytes  sha256 {digest}")


def build(model: Path, output: Path) -> Path:
    """Build one model; returns the FMU."""
    token = instantiation_token(model)
    entries = {
        "modelDescription.xml": (model / "modelDescription.xml").read_text().replace(TOKEN, token).encode(),
        f"binaries/x86_64-linux/{model.name}.so": compiled(model, token),
        "documentation/README.md": (model / "README.md").read_bytes(),
        **{f"sources/{file.name}": file.read_bytes() for file in sources(model)},
        **{f"resources/{file.name}": file.read_bytes() for file in resources(model)},
    }
    fmu = output / f"{model.name}.fmu"
    with zipfile.ZipFile(fmu, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(entries.items()):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, content)
    return fmu


def sources(model: Path) -> list[Path]:
    """C files and headers of a model, the component's included."""
    return sorted([*COMPONENT.glob("*.[ch]"), *(model / "sources").glob("*.[ch]")], key=lambda file: file.name)


def resources(model: Path) -> list[Path]:
    """Files that the model reads."""
    return sorted((model / "resources").glob("*"))


def instantiation_token(model: Path) -> str:
    """Hash of all that decides what a model does."""
    digest = hashlib.sha256()
    for file in [model / "modelDescription.xml", *sources(model), *resources(model)]:
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return f"{{{digest.hexdigest()[:32]}}}"


def compiled(model: Path, token: str) -> bytes:
    """The shared library of a model."""
    with tempfile.TemporaryDirectory() as scratch:
        library = Path(scratch) / f"{model.name}.so"
        files = [str(file) for file in sources(model) if file.suffix == ".c"]
        includes = [f"-I{HEADERS}", f"-I{COMPONENT}", f"-I{model / 'sources'}"]
        subprocess.run(
            ["gcc", *FLAGS, f'-DINSTANTIATION_TOKEN="{token}"', *includes, *files, "-o", str(library), "-lm"],
            check=True,
        )
        return library.read_bytes()


if __name__ == "__main__":
    main()
