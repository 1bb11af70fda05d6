#!/usr/bin/python3
"""Pictures of an atoll store: convergence, cost breakdown, migrations (PNG).

    tools/atoll_report.py results.h5 [--out FOLDER]

Works on a sealed store, on one that a job is still writing, and on one that a kill left behind. Prints the path of
every picture. Needs h5py, numpy, pandas and matplotlib as Debian 12 has them.
"""
import argparse
import os
import sys

try:
    import matplotlib
    import numpy as np
    import pandas as pd
except ImportError as error:
    sys.exit(f"atoll_report: {error}; install python3-h5py, python3-pandas and python3-matplotlib")
from atoll_store import InputError, Store

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.colors import LogNorm  # noqa: E402

# Okabe and Ito: eight colours that colour-blind readers can tell apart.
COLOURS = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000"]
LINES = ["-", "--", ":", "-."]
HATCHES = ["", "///", "...", "xxx"]
OK, INPUT, MACHINE = 0, 2, 3


def short(name, length=26):
    return name if len(name) <= length else name[: length - 3] + "..."


def title_of(store):
    return f"{store.layout['run_name']} (space {store.layout['space']}, seed {store.layout['seed']})"


def best_so_far(table):
    table = table.sort_values(["task", "island", "generation"]).copy()
    table["best"] = table["best"].where(table.feasible > 0)
    table["so_far"] = table.groupby(["task", "island"])["best"].cummin()
    table["so_far"] = table.groupby(["task", "island"])["so_far"].ffill()
    return table


def draw_convergence(store, out):
    table = best_so_far(store.generations())
    if table.so_far.notna().sum() == 0:
        return None
    tasks = sorted(table.task.unique())
    columns = min(4, len(tasks))
    rows = -(-len(tasks) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(3.3 * columns, 2.5 * rows + 1.1), squeeze=False,
                                constrained_layout=True)
    kinds = list(dict.fromkeys(store.policies))
    handles = {}
    for axis, task in zip(axes.flat, tasks):
        of_task = table[table.task == task]
        for island, line in of_task.groupby("island"):
            policy = store.policies[island] if island < len(store.policies) else "?"
            colour = COLOURS[kinds.index(policy) % len(COLOURS)] if policy in kinds else "#888888"
            label = f"island {island}: {policy}" if len(store.policies) <= 12 else policy
            style = LINES[island % len(LINES)] if len(store.policies) <= 12 else "-"
            handles.setdefault(label, axis.plot(line.generation, line.so_far, style, color=colour, linewidth=1.4,
                                                alpha=0.9)[0])
        positive = of_task.so_far.dropna()
        if len(positive) and positive.min() > 0:
            axis.set_yscale("log")
        if len(of_task.generation.unique()) == 1:
            for line in axis.lines:
                line.set_marker("o")
        axis.set_title(short(store.tasks[task]), fontsize=9)
        axis.grid(True, which="major", linewidth=0.4, alpha=0.6)
        axis.tick_params(labelsize=7)
        axis.tick_params(which="minor", labelsize=6)
    for axis in list(axes.flat)[len(tasks):]:
        axis.set_visible(False)
    figure.supxlabel("generation", fontsize=10)
    figure.supylabel(f"best {store.layout['objective']} so far", fontsize=10)
    figure.suptitle(f"Convergence: {title_of(store)}", fontsize=11)
    figure.legend(handles.values(), handles.keys(), loc="upper left", bbox_to_anchor=(1.0, 0.95), fontsize=8,
                  frameon=False)
    return save(figure, out, "convergence.png")


def energy_unit(values):
    """A factor and a unit that make values in pJ readable."""
    largest = np.nanmax(np.abs(values)) if len(values) else 0
    for factor, unit in [(1e12, "J"), (1e9, "mJ"), (1e6, "uJ"), (1e3, "nJ")]:
        if largest >= factor:
            return factor, unit
    return 1, "pJ"


def split_energy(name):
    """'buffer.I.energy' -> ('buffer', 'I'); None for other columns."""
    parts = name.split(".")
    return (".".join(parts[:-2]), parts[-2]) if len(parts) >= 3 and parts[-1] == "energy" else None


def energy_parts(store, rows):
    """Energy of the best row of each task by (level, operand), in pJ, and what is not of a level."""
    frame = store.costs(rows).reset_index(drop=True)
    parts = {split_energy(c): frame[c] for c in frame.columns if split_energy(c)}
    for column, label in [("compute_energy", "compute"), ("network_energy", "fan-outs"), ("leakage_energy", "leakage")]:
        if column in frame and frame[column].abs().sum() > 0:
            parts[(label, "")] = frame[column]
    return pd.DataFrame({key: values.to_numpy() for key, values in parts.items()}), frame


def draw_breakdown(store, out):
    best = store.best_rows()
    if len(best) == 0:
        return None
    if store.commit["layer_costs"] > 0:
        return draw_layers(store, best, out)
    parts, frame = energy_parts(store, best.to_numpy())
    if not any(operand for _, operand in parts.columns):
        return draw_headline(store, best, out)
    names = [short(store.tasks[task], 34) for task in best.index]
    levels = list(dict.fromkeys(level for level, _ in parts.columns))
    operands = list(dict.fromkeys(operand for _, operand in parts.columns))
    return stacked_bars(store, out, names, parts,
                        lambda key: (COLOURS[levels.index(key[0]) % len(COLOURS)],
                                     HATCHES[operands.index(key[1]) % len(HATCHES)] if key[1] else ""),
                        lambda key: f"{key[0]} {key[1]}".strip(), "energy of the best mapping, by level and operand",
                        frame.get("energy"))


def stacked_bars(store, out, names, parts, style, label, what, totals):
    """Left: absolute energy (log scale bars of totals); right: shares, stacked."""
    height = 1.8 + 0.30 * len(names)
    figure, (left, right) = plt.subplots(1, 2, figsize=(12.5, max(height, 3.4)), sharey=True, constrained_layout=True,
                                         gridspec_kw={"width_ratios": [1, 2.2]})
    places = np.arange(len(names))
    sums = parts.sum(axis=1).to_numpy()
    totals = sums if totals is None else totals.to_numpy()
    factor, unit = energy_unit(totals)
    left.barh(places, totals / factor, color="#666666", height=0.7)
    left.set_ylim(max(len(names) - 0.4, 1.0), -0.6 if len(names) > 1 else -1.0)
    if totals.min() > 0 and totals.max() > 20 * totals.min():
        left.set_xscale("log")
    left.set_xlabel(f"energy ({unit})")
    left.set_yticks(places, names, fontsize=8)
    start = np.zeros(len(names))
    for key in parts.columns:
        share = 100 * parts[key].to_numpy() / np.where(sums > 0, sums, 1)
        colour, hatch = style(key)
        right.barh(places, share, left=start, color=colour, hatch=hatch, edgecolor="white", linewidth=0.3, height=0.7,
                   label=label(key))
        start += share
    right.set_xlim(0, 100)
    right.set_xlabel("share (%)")
    for axis in (left, right):
        axis.grid(True, axis="x", linewidth=0.4, alpha=0.6)
        axis.set_axisbelow(True)
    right.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=8, frameon=False, handleheight=1.2)
    figure.suptitle(f"{what[0].upper() + what[1:]}: {title_of(store)}", fontsize=11)
    return save(figure, out, "breakdown.png")


def layer_table(store, row):
    """The layer costs of one evaluation, with energy and cycles times the multiplicity."""
    table = store.layer_costs(row)
    for column in ("cycles", "energy"):
        table[column] *= table["multiplicity"]
    return table


def draw_layers(store, best, out):
    """A network search: energy and cycles of the layers of the best network of each task."""
    tables = {task: layer_table(store, int(row)) for task, row in best.items()}
    tables = {task: table for task, table in tables.items() if len(table)}
    if not tables:
        return draw_headline(store, best, out)
    widest = max(len(table) for table in tables.values())
    figure, axes = plt.subplots(len(tables), 2, figsize=(12, (1.4 + 0.24 * widest) * len(tables)), squeeze=False,
                                sharey="row", constrained_layout=True)
    for (left, right), (task, table) in zip(axes, tables.items()):
        places = np.arange(len(table))
        names = [f"layer {i}  {key:016x}"[:17] + (f" x{m}" if m > 1 else "")
                 for i, (key, m) in enumerate(zip(table.layer_key, table.multiplicity))]
        factor, unit = energy_unit(table.energy.to_numpy())
        left.barh(places, table.energy / factor, color=COLOURS[0], height=0.7)
        right.barh(places, table.cycles, color=COLOURS[1], height=0.7)
        left.set_yticks(places, names, fontsize=7)
        left.invert_yaxis()
        left.set_xlabel(f"energy ({unit})")
        right.set_xlabel("cycles")
        total, total_unit = energy_unit([table.energy.sum()])
        left.set_title(f"{short(store.tasks[task])}: {table.energy.sum() / total:.3g} {total_unit}, "
                       f"{table.cycles.sum():.3g} cycles over {int(table.multiplicity.sum())} layers", fontsize=9,
                       loc="left")
        for axis in (left, right):
            axis.grid(True, axis="x", linewidth=0.4, alpha=0.6)
            axis.set_axisbelow(True)
    figure.suptitle(f"Layers of the best network: {title_of(store)}", fontsize=11)
    return save(figure, out, "breakdown.png")


def draw_headline(store, best, out):
    frame = store.costs(best.to_numpy()).reset_index(drop=True)
    names = [c for c in ("energy", "cycles") if c in frame] or list(frame.columns[:2])
    if not names:
        return None
    units = store.units()
    figure, axes = plt.subplots(1, len(names), figsize=(5.5 * len(names), 1.8 + 0.3 * len(frame)), squeeze=False,
                                sharey=True, constrained_layout=True)
    for axis, name, colour in zip(axes[0], names, COLOURS):
        axis.barh(np.arange(len(frame)), frame[name], color=colour, height=0.7)
        axis.set_xlabel(f"{name} ({units[name]})")
        axis.grid(True, axis="x", linewidth=0.4, alpha=0.6)
        axis.set_axisbelow(True)
    axes[0][0].set_yticks(np.arange(len(frame)), [short(store.tasks[t]) for t in best.index], fontsize=8)
    axes[0][0].invert_yaxis()
    figure.suptitle(f"Cost of the best: {title_of(store)}", fontsize=11)
    return save(figure, out, "breakdown.png")


def draw_migrations(store, out):
    table = store.migrations()
    if len(table) == 0:
        return None
    count = max(len(store.policies), int(table[["from", "to"]].to_numpy().max()) + 1)
    edges = table.groupby(["from", "to"])[["sent", "accepted", "rejected"]].sum()
    sent, accepted = np.zeros((count, count)), np.zeros((count, count))
    for (source, target), row in edges.iterrows():
        sent[source, target], accepted[source, target] = row["sent"], row["accepted"]
    size = max(3.6, 0.42 * count + 2.2)
    figure, (left, right) = plt.subplots(1, 2, figsize=(2 * size + 2, size + 0.5), constrained_layout=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(sent > 0, 100 * accepted / sent, np.nan)
    shown = np.where(sent > 0, sent, np.nan)
    wide = np.nanmax(shown) > 50 * max(np.nanmin(shown), 1)
    for axis, values, name, norm in [(left, shown, "migrants sent", LogNorm() if wide else None),
                                     (right, share, "share accepted (%)", None)]:
        limits = {} if norm else {"vmin": 0, "vmax": 100 if axis is right else np.nanmax(shown)}
        image = axis.imshow(values, cmap="cividis", norm=norm, **limits)
        figure.colorbar(image, ax=axis, label=name, shrink=0.8)
        axis.set_xlabel("to island")
        axis.set_ylabel("from island")
        axis.set_facecolor("#eeeeee")
        if count <= 16:
            axis.set_xticks(range(count))
            axis.set_yticks(range(count), [f"{i} {short(p, 14)}" for i, p in enumerate(store.policies)] or range(count))
            write_cells(axis, values, image)
    total, taken = edges["sent"].sum(), edges["accepted"].sum()
    figure.suptitle(f"Migrations: {title_of(store)}\n{int(total)} sent, {int(taken)} accepted "
                    f"({100 * taken / max(total, 1):.0f} %), no traffic where grey", fontsize=11)
    return save(figure, out, "migrations.png")


def write_cells(axis, values, image):
    for (row, column), value in np.ndenumerate(values):
        if np.isnan(value):
            continue
        red, green, blue, _ = image.cmap(image.norm(value))
        dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
        axis.text(column, row, f"{value:.0f}", ha="center", va="center", fontsize=8, color="white" if dark else "black")


def save(figure, out, name):
    path = os.path.join(out, name)
    figure.savefig(path, dpi=130, bbox_inches="tight", pad_inches=0.15)
    plt.close(figure)
    return path


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store", help="results.h5, or the run folder that holds it")
    parser.add_argument("--out", help="folder for the pictures (default: 'pictures' beside the store)")
    options = parser.parse_args(arguments)
    path = options.store
    if os.path.isdir(path) and os.path.exists(os.path.join(path, "results.h5")):
        path = os.path.join(path, "results.h5")
    try:
        store = Store(path)
        out = options.out or os.path.join(os.path.dirname(os.path.abspath(path)), "pictures")
        os.makedirs(out, exist_ok=True)
        if store.commit["batches"] == 0:
            raise InputError(f"the store '{path}' holds no committed generation yet; try again later")
        pictures = [draw(store, out) for draw in (draw_convergence, draw_breakdown, draw_migrations)]
    except InputError as error:
        print(f"atoll_report: {error}", file=sys.stderr)
        return INPUT
    except (OSError, KeyError, ValueError) as error:
        print(f"atoll_report: {type(error).__name__}: {error} (store '{path}')", file=sys.stderr)
        return MACHINE
    for picture in filter(None, pictures):
        print(picture)
    return OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
