#!/usr/bin/python3
"""Reads an atoll store into pandas frames.

    from atoll_store import Store
    store = Store("runs/demo")                       # or .../results.h5
    best = store.evaluations(task=0).query("feasible").nsmallest(10, "fitness")
    store.individuals(rows=best.index)               # genes, parents and origin of those
    store.generations(), store.migrations(), store.layer_costs(), store.mappings(), store.lineage(best.id.iloc[0])

or as a command, which prints what a store holds or writes one table as CSV:

    tools/atoll_store.py STORE [--table individuals|evaluations|generations|migrations|layer_costs|mappings]

Works on a sealed store, on one that a job is still writing, and on one that a kill left behind: only committed rows are
read. The format is described in include/atoll/store/SCHEMA.md. Needs h5py, numpy and pandas as Debian 12 has them.
"""
import argparse
import json
import os
import sys

os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")
try:
    import h5py
    import numpy as np
    import pandas as pd
except ImportError as error:
    sys.exit(f"atoll_store: {error}; install python3-h5py and python3-pandas")

SCHEMA_MAJORS = (1, 2)
NOBODY = np.uint64(2**64 - 1)
ORIGINS = ["random", "seeded", "crossover", "mutation", "copy", "migrant"]
TABLES = ["individuals", "evaluations", "generations", "migrations", "layer_costs", "mappings"]


class InputError(Exception):
    """The user's input is wrong; exit code 2."""


def as_text(value):
    return value.decode("utf-8", "replace").rstrip("\0") if isinstance(value, bytes) else str(value)


def open_store(path):
    if os.path.isdir(path) and os.path.exists(os.path.join(path, "results.h5")):
        path = os.path.join(path, "results.h5")
    if not os.path.exists(path):
        raise InputError(f"the store '{path}' does not exist; check the path")
    if os.path.isdir(path):
        raise InputError(f"'{path}' is a folder; name the store inside it (results.h5)")
    if os.path.getsize(path) == 0:
        raise InputError(f"the store '{path}' is an empty file; it holds no run")
    file = None
    for swmr in (False, True):
        try:
            file = h5py.File(path, "r", libver="latest", swmr=swmr)
            break
        except OSError as error:
            reason = error
    if file is None:
        raise InputError(f"'{path}' cannot be opened as an atoll store: {reason}")
    if as_text(file.attrs.get("format", b"")) != "atoll store":
        raise InputError(f"'{path}' is an HDF5 file but no atoll store")
    version = as_text(file.attrs["schema_version"])
    if int(version.split(".")[0]) not in SCHEMA_MAJORS:
        raise InputError(f"the store '{path}' has schema version {version}; this tool reads 1.x and 2.x")
    return file


def individual_id(task, generation, island, slot):
    """The id by which parents are named; scalars or arrays."""
    part = [np.asarray(x, dtype=np.uint64) for x in (task, generation, island, slot)]
    shifts = (54, 32, 16, 0)
    return part[0] << np.uint64(shifts[0]) | part[1] << np.uint64(shifts[1]) | part[2] << np.uint64(shifts[2]) | part[3]


class Store:
    """The committed rows of a store. Row numbers are the index of individuals() and evaluations() alike."""

    def __init__(self, path):
        self.file = open_store(path)
        marks = self.file["commit"][:]
        self.commit = dict(zip(map(as_text, self.file["commit"].attrs["columns"]), marks[marks[:, 0].argmax()]))
        self.layout = json.loads(as_text(self.file["run/layout"][()]))
        self.tasks = [task["name"] for task in self.layout["tasks"]]
        self.policies = [island["policy"] for island in self.layout["islands"]]
        self.rows = int(self.commit["individuals"])

    def individuals(self, task=None, rows=None):
        """id, task, generation, island, slot, parents (NOBODY: none), origin and every gene by its name."""
        rows = self._rows(task, rows)
        group = self.file["individuals"]
        frame = pd.DataFrame({name: self._take(group[name], rows)
                              for name in ("task", "generation", "island", "slot", "parent_a", "parent_b")}, index=rows)
        frame.insert(0, "id", individual_id(frame.task, frame.generation, frame.island, frame.slot))
        origin = self._take(group["origin"], rows)
        frame["origin"] = pd.Categorical.from_codes(np.minimum(origin, len(ORIGINS) - 1), ORIGINS)
        return pd.concat([frame] + [self._matrix(group, name, rows) for name in ("genes_integer", "genes_real")], axis=1)

    def evaluations(self, task=None, rows=None, derived=True):
        """id, fitness, violation, feasible and every cost by its name; `derived` adds columns that follow from them.

        over_cycles, over_energy: how many times above the lower bound from tensor sizes alone."""
        rows = self._rows(task, rows)
        group = self.file["evaluations"]
        names = [self._take(self.file["individuals/" + name], rows) for name in ("task", "generation", "island", "slot")]
        frame = pd.DataFrame({"id": individual_id(*names), "fitness": self._take(group["fitness"], rows),
                              "violation": self._take(group["violation"], rows)}, index=rows)
        frame["feasible"] = frame.violation <= 0
        frame = pd.concat([frame, self.costs(rows)], axis=1)
        for quantity in ("cycles", "energy") if derived else ():
            if quantity in frame and "bound_" + quantity in frame:
                frame["over_" + quantity] = frame[quantity] / frame["bound_" + quantity]
        return frame

    def costs(self, rows):
        """Every cost of some rows by its name, in the order of the layout: kept ones as stored, the others by formula."""
        rows = np.asarray(rows, dtype=np.int64)
        group = self.file["evaluations"]
        kept = pd.concat([self._matrix(group, name, rows) for name in ("headline", "breakdown")], axis=1)
        columns = {c: kept[c].to_numpy(dtype=np.float64) for c in kept.columns}
        tasks = self._take(self.file["individuals/task"], rows)
        for task in np.unique(tasks):
            for formula in self.layout["tasks"][task].get("derived", []):
                target = columns.setdefault(formula["column"], np.zeros(len(rows)))
                target[tasks == task] = self._formula(formula["sum"], columns)[tasks == task]
        order = [c["name"] for c in self.layout["costs"] if c["name"] in columns]
        return pd.DataFrame({name: columns[name] for name in order}, index=rows)

    @staticmethod
    def _formula(terms, columns):
        total = np.zeros(len(next(iter(columns.values()))))
        for factor, powers in terms:
            product = np.full(len(total), float(factor))
            for name, power in powers.items():
                for _ in range(abs(power)):
                    product = product * columns[name] if power > 0 else product / columns[name]
            total += product
        return total

    def generations(self):
        """One row for each generation of each island: rows, feasible, best_slot, best and mean fitness."""
        return pd.DataFrame(self.file["generations"][: int(self.commit["batches"])])

    def migrations(self):
        return pd.DataFrame(self.file["migrations"][: int(self.commit["migrations"])])

    def layer_costs(self, row=None):
        """The layers of networks: of one row of evaluations, or of all."""
        first, last = 0, int(self.commit["layer_costs"])
        if row is not None:
            batches = self.file["batches"][: int(self.commit["batches"])]
            batch = batches[np.searchsorted(batches["first_row"], row, side="right") - 1]
            first = min(int(batch["first_layer_cost"]), last)
            last = min(first + int(batch["layer_costs"]), last)
        group = self.file["layer_costs"]
        table = pd.DataFrame({name: group[name][first:last] for name in group})
        return table if row is None else table[table.evaluation == row].reset_index(drop=True)

    def mappings(self):
        """The mappings that layer costs name, as text, by key."""
        index = self.file["mappings/index"][: int(self.commit["mappings"])]
        heap = self.file["mappings/heap"][: int(self.commit["mapping_bytes"])].tobytes()
        texts = [heap[int(o): int(o) + int(b)].decode() for o, b in zip(index["offset"], index["bytes"])]
        return pd.Series(texts, index=pd.Index(index["key"], name="key"), name="mapping", dtype=object)

    def best_rows(self):
        """Row of the best feasible individual of each task: smallest fitness, then generation, island, slot."""
        batches = self.file["batches"][: int(self.commit["batches"])]
        table = self.generations()
        table["row"] = batches["first_row"] + table["best_slot"].to_numpy()
        table = table[table.feasible > 0].sort_values(["task", "best", "generation", "island"])
        return table.groupby("task").first()["row"]

    def row_of(self, individual):
        """The row of an id, or None."""
        number = int(individual)
        task, generation, island, slot = number >> 54, number >> 32 & 0x3FFFFF, number >> 16 & 0xFFFF, number & 0xFFFF
        batches = self.file["batches"][: int(self.commit["batches"])]
        found = batches[(batches["task"] == task) & (batches["generation"] == generation) & (batches["island"] == island)]
        return int(found["first_row"][0]) + slot if len(found) and slot < found["rows"][0] else None

    def lineage(self, individual, depth=20):
        """The individual and its ancestors along parent_a, youngest first, with fitness."""
        rows = []
        while individual != NOBODY and len(rows) < depth:
            row = self.row_of(individual)
            if row is None:
                break
            rows.append(row)
            individual = self.file["individuals/parent_a"][row]
        return self.individuals(rows=rows).join(self.evaluations(rows=rows)[["fitness", "feasible"]])

    def units(self):
        return {column["name"]: column["unit"] for column in self.layout["costs"]}

    def _rows(self, task, rows):
        if rows is None:
            rows = np.arange(self.rows)
        rows = np.asarray(rows, dtype=np.int64)
        if len(rows) and (rows.min() < 0 or rows.max() >= self.rows):
            raise InputError(f"rows 0 to {self.rows - 1} are committed, {rows.min()} to {rows.max()} were asked for")
        if task is None:
            return rows
        if not 0 <= task < len(self.tasks):
            raise InputError(f"there is no task {task}; the store has 0 to {len(self.tasks) - 1}")
        return rows[self._take(self.file["individuals/task"], rows) == task]

    @staticmethod
    def _take(data, rows):
        """Rows in the order asked for; one read of the range where they lie close together."""
        if len(rows) == 0:
            return data[:0]
        low, high = int(rows.min()), int(rows.max()) + 1
        if high - low <= 4 * len(rows):
            return data[low:high][rows - low]
        unique, places = np.unique(rows, return_inverse=True)
        return data[unique][places]

    def _matrix(self, group, name, rows):
        if name not in group:
            return pd.DataFrame(index=rows)
        data = group[name]
        if data.dtype.names:
            return pd.DataFrame(self._take(data, rows), index=rows)
        return pd.DataFrame(self._take(data, rows), columns=[as_text(c) for c in data.attrs["columns"]], index=rows)


def summary(store):
    state = "sealed" if store.commit["sealed"] else "not finished"
    lines = [f"{store.layout['run_name']}: space {store.layout['space']}, objective {store.layout['objective']}, seed "
             f"{store.layout['seed']}, {state}",
             f"{store.rows} individuals in {store.commit['batches']} generations of {len(store.policies)} islands"]
    best = store.best_rows()
    values = store.evaluations(rows=best.to_numpy()) if len(best) else None
    for place, task in enumerate(best.index):
        lines.append(f"  {store.tasks[task]}: best fitness {values.fitness.iloc[place]:.6g} (row {best.loc[task]})")
    return "\n".join(lines)


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store", help="results.h5, or the run folder that holds it")
    parser.add_argument("--table", choices=TABLES, help="write this table as CSV to standard output")
    options = parser.parse_args(arguments)
    try:
        store = Store(options.store)
        if options.table:
            getattr(store, options.table)().to_csv(sys.stdout)
        else:
            print(summary(store))
    except InputError as error:
        print(f"atoll_store: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0
    except (OSError, KeyError, ValueError) as error:
        print(f"atoll_store: {type(error).__name__}: {error} (store '{options.store}')", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
