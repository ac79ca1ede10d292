"""Runs cells as a notebook, in a process of its own: what runs a notebook leaves sockets and loops to its process's end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat

from tests.support.waiting import LONGEST_SECONDS

ROOT = Path(__file__).parents[2]


def outputs_of(cells: tuple[str, ...], folder: Path, settings: dict[str, str]) -> dict[str, list[nbformat.NotebookNode]]:
    """What each cell shows, by its source, run one after the other in the folder; a cell that fails ends nothing."""
    path = folder / "notebook.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells]), path)
    own = {"PATH": os.environ["PATH"], "HOME": str(folder), "IPYTHONDIR": str(folder), "JUPYTER_RUNTIME_DIR": str(folder), "PYTHONPATH": str(ROOT)}
    ran = subprocess.run([sys.executable, "-m", __name__, path], cwd=folder, env=own | settings, capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS)
    assert ran.returncode == 0, ran.stderr
    return {cell.source: cell.outputs for cell in nbformat.read(path, as_version=4).cells}


def main(path: Path) -> None:
    """Runs the notebook and writes it back; the kernel listens on sockets of its folder, as ports are others' business."""
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    kernel = AsyncKernelManager(kernel_name="python3", transport="ipc", connection_file=str(path.with_name("kernel.json")))
    NotebookClient(notebook, km=kernel, timeout=round(LONGEST_SECONDS), allow_errors=True, resources={"metadata": {"path": str(path.parent)}}).execute()
    nbformat.write(notebook, path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
