#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Compiles the C examples with irsmith, links them, runs their own tests on the result,
# and says how many bytes were won over clang -Oz.
set -eu
cd "$(dirname "$0")"
command -v irsmith >/dev/null || { echo "irsmith is not on PATH: run make demo" >&2; exit 2; }
python=$(dirname "$(command -v irsmith)")/python
clang=$("$python" -c 'from irsmith.toolchain.find import find_toolchain as f; print(f().need_clang())')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for program in json lz regex sha256; do
    mkdir "$work/$program"
    for source in "$program"/*.c; do
        name=$(basename "$source" .c)
        irsmith optimize "$source" -o "$work/$program/$name.o" --json -- -std=c11 \
            >>"$work/$program/report.jsonl"
    done
    "$clang" -fuse-ld=lld "$work/$program"/*.o -o "$work/$program/$program"
    sh "$program/tests/run.sh" "$work/$program/$program" >"$work/$program/tests.txt" ||
        { cat "$work/$program/tests.txt" >&2; echo "$program: its tests fail" >&2; exit 1; }
    "$python" - "$program" "$work/$program/report.jsonl" "$work/$program/tests.txt" <<'EOF'
import json, sys
name, report, tests = sys.argv[1:]
rows = [json.loads(line) for line in open(report)]
before = sum(row["baseline"]["total"] for row in rows)
after = sum(row["result"]["total"] for row in rows)
checked = all(row["source"] == "baseline" or row["verdict"]["pass_list"] == "passed" for row in rows)
print(f"{name:<8} clang -Oz {before:>6} bytes   irsmith {after:>6} bytes   "
      f"{100 * (after - before) / before:+.1f} %   pass lists {'checked' if checked else 'NOT CHECKED'}, "
      f"its own tests: {open(tests).read().splitlines()[-1]}")
EOF
done
