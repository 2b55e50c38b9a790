"""The smallest test of everything: C in, checked smaller object out, in seconds."""

import json
import subprocess
import sys


def test_c_in_checked_smaller_object_out(source, tmp_path):
    output = tmp_path / "sample.o"
    command = [sys.executable, "-m", "irsmith", "optimize", str(source), "-o", str(output)]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["result"]["total"] < result["baseline"]["total"]
    assert result["verdict"]["verifier"] == result["verdict"]["pass_list"] == "passed"
    assert output.read_bytes()[:4] == b"\x7fELF"
    again = tmp_path / "again.o"
    command[command.index(str(output))] = str(again)
    subprocess.run(command, capture_output=True, check=True)
    assert again.read_bytes() == output.read_bytes()
