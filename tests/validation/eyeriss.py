"""The Eyeriss chip: AlexNet by the published mapping, VGG-16 by the best mapping that a search finds."""

import csv
import json
import os
import tempfile

from common import DATA, SOURCE, table, write_lines

CLOCK_KHZ = 200e3
MEGABYTE = 2 ** 20
DATA_FOLDER = os.path.join(DATA, "validation")


def chip(network):
    with open(os.path.join(DATA_FOLDER, "eyeriss_chip.csv"), encoding="utf-8") as file:
        return {row["layer"]: {k: float(v) for k, v in row.items() if k not in ("network", "layer")}
                for row in csv.DictReader(line for line in file if not line.startswith("#"))
                if row["network"] == network}


def chip_description(folder):
    path = os.path.join(folder, "eyeriss_chip.yaml")
    with open(path, "w", encoding="utf-8") as out:
        for part in ("accelerators/eyeriss.yaml", "tests/validation/eyeriss_execution.yaml"):
            with open(os.path.join(SOURCE, part), encoding="utf-8") as file:
                out.write(file.read() + "\n")
    return path


def traffic(result, level, counts):
    return 2 * sum(result.get(f"{level}.{o}.{c}", 0) for o in "WIO" for c in counts) / MEGABYTE


def processing_ms(cycles):
    return cycles / CLOCK_KHZ


def evaluate(atoll, mappings, accelerator, network):
    measured = chip(network)
    rows = []
    for result in atoll.evaluate(mappings, "--accelerator", accelerator):
        if "refused" in result:
            rows.append({"layer": result["id"], "refused": result["refused"]})
            continue
        layer = str(result["id"])
        rows.append({"layer": layer, "ms": processing_ms(result["cycles_steady"]),
                     "buffer": traffic(result, "buffer", ("reads", "fills", "updates")),
                     "dram": traffic(result, "dram", ("reads", "updates")), "chip": measured[layer]})
    return rows


def alexnet(atoll):
    """(with the chip's two effects, without them)"""
    mappings = os.path.join(DATA_FOLDER, "eyeriss_alexnet.jsonl")
    plain = evaluate(atoll, mappings, os.path.join(SOURCE, "accelerators", "eyeriss.yaml"), "alexnet")
    with tempfile.TemporaryDirectory() as folder:
        return evaluate(atoll, mappings, chip_description(folder), "alexnet"), plain


def vgg16(atoll):
    """The best mappings of the search in configs/validation, evaluated beside the chip's layers."""
    with tempfile.TemporaryDirectory() as folder:
        accelerator, run = chip_description(folder), os.path.join(folder, "run")
        atoll.run("run", os.path.join(SOURCE, "configs", "validation", "eyeriss_vgg16.yaml"), "--output", run, "--quiet",
                  "--set", "problem.accelerator=" + accelerator)
        names, lines = [], []
        for name in sorted(n for n in os.listdir(os.path.join(run, "best")) if n.endswith(".json")):
            with open(os.path.join(run, "best", name), encoding="utf-8") as file:
                lines.append(json.loads(file.read()))
            names.append("CONV" + name[:-len(".json")].split("conv")[1].replace("_", "-"))
        mappings = os.path.join(folder, "best.jsonl")
        write_lines(mappings, ({"id": name, **line} for name, line in zip(names, lines)))
        return evaluate(atoll, mappings, accelerator, "vgg16")


def time_table(rows, plain):
    body = []
    for row, bare in zip(rows, plain):
        if "refused" in row:
            body.append([row["layer"], "refused: " + row["refused"], "", "", "", ""])
            continue
        ms = row["chip"]["processing_ms"]
        body.append([row["layer"], f"{ms:.1f}", f"{row['ms']:.2f}", f"{row['ms'] / ms:.3f}", f"{bare['ms']:.2f}",
                     f"{bare['ms'] / ms:.3f}"])
    known = [row for row in rows if "ms" in row]
    total = sum(row["chip"]["processing_ms"] for row in known)
    ours, bare = sum(row["ms"] for row in known), sum(row["ms"] for row in plain if "ms" in row)
    body.append(["all", f"{total:.1f}", f"{ours:.2f}", f"{ours / total:.3f}", f"{bare:.2f}", f"{bare / total:.3f}"])
    return table(["layer", "chip, ms", "atoll, ms", "atoll / chip", "perfect overlap, ms", "/ chip"], body)


def traffic_table(rows):
    body = [[row["layer"], f"{row['chip']['buffer_mb']:.1f}", f"{row['buffer']:.1f}",
             f"{row['buffer'] / row['chip']['buffer_mb']:.2f}", f"{row['chip']['dram_mb']:.1f}",
             f"{row['dram']:.1f}", f"{row['dram'] / row['chip']['dram_mb']:.2f}"] for row in rows if "ms" in row]
    return table(["layer", "buffer: chip, MB", "atoll, MB", "atoll / chip", "DRAM: chip (compressed), MB",
                  "atoll (dense), MB", "atoll / chip"], body)


def vgg_table(rows):
    body = [[row["layer"], f"{row['chip']['processing_ms']:.1f}", f"{row['chip']['total_ms']:.1f}", f"{row['ms']:.1f}",
             f"{row['ms'] / row['chip']['processing_ms']:.2f}", f"{row['ms'] / row['chip']['total_ms']:.2f}",
             f"{row['chip']['buffer_mb']:.0f}", f"{row['buffer']:.0f}"] for row in rows if "ms" in row]
    return table(["layer", "chip: processing, ms", "chip: total, ms", "best mapping, ms", "/ processing", "/ total",
                  "buffer: chip, MB", "best mapping, MB"], body)
