"""A Ray cluster of two nodes on this machine runs a sweep and one node is killed in mid-run: does the table stay equal?

    python -m benchmarks.cluster [--rows digits/lpc,digits/no-pen] [--seeds 2] [--scale 0.2]

Needs the extra ``cluster``. Prints the parameters' and the table's largest difference from undisturbed runs in this
process, which must be 0.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import torch

from lpc_core.engine.state import unpack
from lpc_core.experiments import Planned, Store, grouped, plan, run_all, table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default="digits/lpc,digits/no-pen")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--scale", type=float, default=0.2)
    given = parser.parse_args()
    runs = plan(given.rows.split(","), given.seeds, scale=given.scale)
    with tempfile.TemporaryDirectory() as folder:
        killed = disturbed(runs, Path(folder, "ray"))
        for outcome in run_all(runs, Path(folder, "here"), device="cpu"):
            print(f"here: {outcome.run.name}: {outcome.status}")
        stores = [Store(Path(folder, name)) for name in ("ray", "here")]
        print(f"node killed after {killed} runs had begun; starts per run: "
              f"{[len(run.about['starts']) for run in stores[0].runs()]}")
        print(f"largest difference of a parameter: {difference(stores)}")
        cells = [[cell.mean for row in table(number, grouped(store.runs())).rows for cell in row.cells.values()]
                 for store in stores for number in (1, 2)]
        print(f"tables 1 and 2 are equal: {all(str(a) == str(b) for a, b in zip(cells[:2], cells[2:], strict=True))}")


def disturbed(runs: list[Planned], store: Path) -> int:
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    node = cluster.add_node(num_cpus=1)
    begun = 0

    def look() -> None:
        nonlocal node, begun
        begun = sum((store / run.name / "state.safetensors").exists() for run in runs)
        if node is not None and begun >= 2:  # both nodes are at work
            cluster.remove_node(node, allow_graceful=False)
            node = None

    try:
        for outcome in run_all(runs, store, on=f"ray:{cluster.address}", device="cpu", tell=look):
            print(f"ray: {outcome.run.name}: {outcome.status} {outcome.reason}")
    finally:
        cluster.shutdown()
    return begun


def difference(stores: list[Store]) -> float:
    pairs = zip(*(sorted(store.folder.glob("*/*/*/state.safetensors")) for store in stores), strict=True)
    return max(float((a[name].double() - b[name].double()).abs().max())
               for paths in pairs for a, b in [[unpack(path.read_bytes())[0] for path in paths]]
               for name in a if isinstance(a[name], torch.Tensor))


if __name__ == "__main__":
    main()
