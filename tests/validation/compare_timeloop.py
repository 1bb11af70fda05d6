#!/usr/bin/env python3
"""Compares `atoll evaluate --format timeloop` with golden rows, figure by figure.

Usage: compare_timeloop.py GOLDENS.jsonl[.gz] [--semantics timeloop|native] [--atoll PROGRAM | --answers FILE]

With `timeloop` (the default):
Every figure of `result`, and of `result_no_link_transfers` where the golden row has it, must be equal as printed:
counts exactly, energies and rates to Timeloop's two decimals, EDP to its three digits. Prints how many figures of each
name were compared and how many differ, how many rows are equal, and the rows evaluated in a second. Exit code 1 if
any figure differs.

With `native` (our own rules): how many rows differ in which figures, how many need which of Timeloop's rules to become
equal, and the commonest sets. Exit code 1 if a row is not explained.
"""
import argparse
import collections
import gzip
import json
import subprocess
import sys
import time


def read_rows(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def figures(value, path=()):
    """All leaves of nested objects as (path, value)."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from figures(inner, path + (key,))
    else:
        yield path, value


def compare(golden, answer, row, compared, differing):
    ours, theirs = dict(figures(answer)), dict(figures(golden))
    equal = True
    for path in sorted(set(ours) | set(theirs)):
        compared[path[-1]] += 1
        if path in ours and path in theirs and ours[path] == theirs[path]:
            continue
        equal = False
        differing[path[-1]] += 1
        if differing[path[-1]] <= 3:
            print(f"{row}: {'.'.join(path)}: ours {ours.get(path)}, Timeloop {theirs.get(path)}")
    return equal


def evaluate(options):
    """The answers by id: from a file, or from the program, whose speed is printed."""
    if options.answers:
        return {answer["id"]: answer for answer in read_rows(options.answers)}
    command = [options.atoll, "evaluate", "--format", "timeloop", "--semantics", options.semantics,
               "--mappings", options.goldens]
    start = time.perf_counter()
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    seconds = time.perf_counter() - start
    answers = [json.loads(line) for line in output.splitlines()]
    print(f"{len(answers)} rows in {seconds:.2f} s, start and output included: {len(answers) / seconds:.0f} rows/s")
    return {answer["id"]: answer for answer in answers}


def compare_all(goldens, answers):
    compared, differing = collections.Counter(), collections.Counter()
    equal = without_links = 0
    for golden in goldens:
        answer = answers.get(golden["id"], {})
        if "refused" in answer:
            print(f"{golden['id']}: refused: {answer['refused']}")
        good = compare(golden["result"], answer.get("result", {}), golden["id"], compared, differing)
        good &= answer.get("link_transfers_used") == golden["link_transfers_used"]
        if "result_no_link_transfers" in golden:
            without_links += 1
            good &= compare(golden["result_no_link_transfers"], answer.get("result_no_link_transfers", {}),
                            golden["id"] + " without link transfers", compared, differing)
        equal += good
    for name, count in sorted(compared.items()):
        print(f"{name:24} {count:8} compared {differing[name]:8} differ")
    print(f"{equal} of {len(goldens)} rows are equal ({without_links} of them in both results)")
    return equal == len(goldens)


def tell_rules(goldens, answers):
    rules, sets, differ = collections.Counter(), collections.Counter(), collections.Counter()
    explained = 0
    for golden in goldens:
        answer = answers.get(golden["id"], {})
        names = answer.get("explained_by")
        if names is None:
            print(f"{golden['id']}: not explained: {answer.get('unexplained', answer.get('refused', 'no answer'))}")
            continue
        explained += 1
        sets[tuple(names)] += 1
        rules.update(names)
        differ.update(answer["differs"])
    print("rows that differ in a figure:")
    for name, count in differ.most_common():
        print(f"{count:6}  {name}")
    print("rows that need a rule:")
    for name, count in rules.most_common():
        print(f"{count:6}  {name}")
    print(f"the commonest of {len(sets)} sets:")
    for names, count in sets.most_common(15):
        print(f"{count:6}  {', '.join(names) or 'none: equal as they are'}")
    print(f"{explained} of {len(goldens)} rows are explained")
    return explained == len(goldens)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("goldens")
    parser.add_argument("--semantics", choices=["timeloop", "native"], default="timeloop")
    parser.add_argument("--atoll", default="atoll", help="the program")
    parser.add_argument("--answers", help="its output, instead of running it")
    options = parser.parse_args()
    goldens = read_rows(options.goldens)
    answers = evaluate(options)
    judge = compare_all if options.semantics == "timeloop" else tell_rules
    return 0 if judge(goldens, answers) else 1


if __name__ == "__main__":
    sys.exit(main())
