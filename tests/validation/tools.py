"""Golden rows of Timeloop, ZigZag and MAESTRO against `atoll evaluate --format ...`."""

import collections
import csv
import gzip
import json
import math
import os

from common import DATA, table


def find_data(folder, tool, names):
    """The first of the files that is there: in the given folder (itself or a folder of the tool), else in the repository."""
    places = [os.path.join(folder, tool), folder] if folder else []
    for place in places + [os.path.join(DATA, tool)]:
        for name in names:
            path = os.path.join(place, name)
            if os.path.exists(path):
                return path
    return None


def text_of(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as file:
        return file.read()


def leaves(value, path=()):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, path + (str(key),))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from leaves(inner, path + (str(i),))
    else:
        yield path, value


def number(value):
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def close(a, b, relative):
    x, y = number(a), number(b)
    if x is None or y is None:
        return a == b
    return x == y or (math.isnan(x) and math.isnan(y)) or abs(x - y) <= relative * max(abs(x), abs(y))


class Comparison:
    """Figures of golden rows and of ours: how many were compared, which differ, by how much."""

    def __init__(self, relative):
        self.relative = relative
        self.compared = 0
        self.differing = collections.Counter()
        self.rows = self.equal = self.refused = 0
        self.examples = []

    def row(self, name, ours, theirs):
        """`ours` and `theirs`: flat dictionaries; every figure of ours that theirs has counts."""
        self.rows += 1
        shared = [key for key in ours if key in theirs]
        self.compared += len(shared)
        bad = [] if shared else ["no figure in common"]
        for key in shared:
            value = ours[key]
            if not close(value, theirs[key], self.relative):
                self.differing[key[-1] if isinstance(key, tuple) else key] += 1
                bad.append(f"{'.'.join(key) if isinstance(key, tuple) else key}: {value} against {theirs[key]}")
        self.equal += not bad
        if bad and len(self.examples) < 5:
            self.examples.append(f"{name}: {'; '.join(bad[:3])}")

    def refuse(self, name, reason):
        self.rows += 1
        self.refused += 1
        if len(self.examples) < 5:
            self.examples.append(f"{name}: refused: {reason}")

    def text(self):
        lines = [table(["rows", "equal", "refused", "figures compared", "figures that differ"],
                       [[self.rows, self.equal, self.refused, self.compared, sum(self.differing.values())]])]
        if self.differing:
            lines.append("Differing figures: " +
                         ", ".join(f"{name} ({count})" for name, count in self.differing.most_common(8)) + ".\n")
        lines += [f"- {example}" for example in self.examples]
        return "\n".join(lines) + ("\n" if self.examples else "")


def rows_of(path):
    return [json.loads(line) for line in text_of(path).splitlines() if line.strip()]


def paired(answers, golden):
    by_id = {str(answer["id"]): answer for answer in answers}
    return [(one, by_id.get(str(one.get("id", i)), answers[i - 1] if i <= len(answers) else {}))
            for i, one in enumerate(golden, 1)]


def timeloop(atoll, folder):
    path = find_data(folder, "timeloop", ["goldens.jsonl.gz", "goldens.jsonl", "rows.jsonl.gz"])
    golden = rows_of(path)
    figures = Comparison(0)
    for one, answer in paired(atoll.evaluate(path, "--format", "timeloop", "--semantics", "timeloop"), golden):
        if "refused" in answer or "result" not in answer:
            figures.refuse(one["id"], answer.get("refused", "no result"))
            continue
        ours, theirs = {}, {}
        for key in ("result", "result_no_link_transfers"):
            if key in one:
                ours.update({(key,) + p: v for p, v in leaves(answer.get(key, {}))})
                theirs.update({(key,) + p: v for p, v in leaves(one[key])})
        for missing in set(theirs) - set(ours):
            ours[missing] = "missing"
        figures.row(one["id"], ours, theirs)
    explained, unexplained, refused = collections.Counter(), 0, 0
    for one, answer in paired(atoll.evaluate(path, "--format", "timeloop", "--semantics", "native"), golden):
        if "refused" in answer:
            refused += 1
        elif answer.get("explained_by") is None:
            unexplained += 1
        else:
            explained[", ".join(answer["explained_by"]) or "none: equal"] += 1
    flags = collections.Counter()
    for names, count in explained.items():
        for name in names.split(", "):
            flags[name] += count
    return figures, explained, flags, unexplained, refused, path


def zigzag(atoll, folder):
    results = []
    for name in ("goldens", "samples"):
        path = find_data(folder, "zigzag", [name + ".jsonl.gz", name + ".jsonl"])
        if not path:
            continue
        figures, allocated = Comparison(1e-6), 0
        for one, answer in paired(atoll.evaluate(path, "--format", "zigzag"), rows_of(path)):
            row = f"{one.get('accelerator')} {one.get('layer')}"
            if "refused" in answer:
                figures.refuse(row, answer["refused"])
                continue
            ours = {p: v for p, v in leaves(answer) if p[0] != "id"}
            figures.row(row, ours, dict(leaves(one)))
            allocated += bool(answer.get("allocation_equal"))
        results.append((name, figures, allocated))
    return results


def maestro(atoll, folder):
    path = find_data(folder, "maestro", ["goldens.csv", "goldens.csv.gz"])
    golden = list(csv.DictReader(text_of(path).splitlines()))
    figures, others = Comparison(1e-9), collections.Counter()
    loose = atoll.evaluate(path, "--format", "maestro", "--no-strict")
    strict = atoll.evaluate(path, "--format", "maestro")
    for one, answer in paired(loose, golden):
        if one["stride"] != "1" or one["status"] != "ok":
            kind = "stride above 1" if one["stride"] != "1" else "MAESTRO itself ends with " + one["status"]
            others[(kind, "refused" if "refused" in answer else "answered")] += 1
        elif "refused" in answer:
            figures.refuse(one["id"], answer["refused"])
        else:
            figures.row(one["id"], {k: v for k, v in answer.items() if k != "id" and number(v) is not None},
                        {k: v for k, v in one.items() if v != ""})
    verdicts = collections.Counter()
    for one, answer in paired(strict, golden):
        if one["stride"] == "1" and one["status"] == "ok":
            verdicts[(one["trusted"] == "1", "refused" not in answer)] += 1
    return figures, others, verdicts


def section(atoll, folder):
    """(text, rows of the summary)"""
    figures, explained, flags, unexplained, refused, _ = timeloop(atoll, folder)
    summary = [["Timeloop, its rules", figures.rows, f"{figures.equal} rows equal in every figure"],
               ["Timeloop, our rules", figures.rows, f"{sum(explained.values())} rows explained by named rules"]]
    common = explained.most_common(5)
    lines = ["## Timeloop\n",
             "`atoll evaluate --format timeloop --semantics timeloop`, every figure as Timeloop prints it:\n",
             figures.text(),
             "With our own rules (`--semantics native`) the same rows differ where Timeloop counts otherwise. A difference "
             "counts as\nexplained if a smallest set of Timeloop's rules, switched on one by one, makes the row equal "
             "(`explained_by`):\n",
             table(["rule", "rows that need it"], [[name, count] for name, count in flags.most_common()]),
             f"{len(explained)} different sets of rules occur; the most frequent:\n",
             table(["smallest set of rules", "rows"], [[names, count] for names, count in common]),
             f"Not explained: {unexplained} rows. Refused: {refused} rows.\n", "## ZigZag\n",
             "`atoll evaluate --format zigzag`, energies, stalls, loading and latency to a relative 1e-6:\n"]
    for name, compared, allocated in zigzag(atoll, folder):
        summary.append([f"ZigZag, {name}", compared.rows, f"{compared.equal} rows equal to 1e-6"])
        lines += [f"{name}:\n", compared.text(),
                  f"Loops allocated to the same memories as ZigZag allocates them: {allocated} of {compared.rows} rows.\n"]
    figures, others, verdicts = maestro(atoll, folder)
    summary += [["MAESTRO, not strict", figures.rows, f"{figures.equal} rows of stride 1 equal"],
                ["MAESTRO, strict", sum(verdicts.values()),
                 f"{verdicts[(True, True)]} of {verdicts[(True, True)] + verdicts[(True, False)]} trusted rows accepted, "
                 f"{verdicts[(False, False)]} of {verdicts[(False, False)] + verdicts[(False, True)]} others refused"]]
    lines += ["## MAESTRO\n", "`atoll evaluate --format maestro --no-strict`, rows of stride 1, every column, to 1e-9:\n",
              figures.text()]
    if others:
        lines.append(table(["other rows", "", "rows"], [[kind, what, n] for (kind, what), n in sorted(others.items())]))
    lines += ["Strict, the default, refuses what no hardware could do:\n",
              table(["rows that are", "accepted", "refused"],
                    [["trusted", verdicts[(True, True)], verdicts[(True, False)]],
                     ["not trusted", verdicts[(False, True)], verdicts[(False, False)]]])]
    return "\n".join(lines), summary
