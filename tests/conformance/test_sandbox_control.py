"""The tests of containment are good for something: without a sandbox most of them fail.

Runs them against the backend ``unsafe``, a bare process, and counts. Every flood in them is bounded; those that could
harm this machine are left out there (see `only_contained`).
"""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from .sandbox_host import REPOSITORY

HERE = Path(__file__).parent
CONTAINED = ("floods", "processes", "reach", "kernel", "files", "life")
TOO_SLOW = "not host_is_killed and not deep and not thousand and not workspace and not time_limit and not names"
ENOUGH = 20


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """For every test function of containment, the outcomes that it had without a sandbox."""
    folder = tmp_path_factory.mktemp("control")
    report = folder / "report.xml"
    files = [str(HERE / f"test_sandbox_{name}.py") for name in CONTAINED]
    options = ["-q", "--tb=no", "-p", "no:cacheprovider", f"--junitxml={report}", "-k", TOO_SLOW]
    command = [sys.executable, "-m", "pytest", *options, *files]
    environment = os.environ | {"SELFGYM_SANDBOXES": "unsafe", "TMPDIR": str(folder)}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1, done.stdout[-2000:] + done.stderr[-2000:]
    outcomes = {}
    for case in ET.parse(report).iter("testcase"):
        outcome = next((child.tag for child in case if child.tag in ("failure", "error", "skipped")), "passed")
        name = f"{case.get('classname').rpartition('.')[2]}::{case.get('name').partition('[')[0]}"
        outcomes.setdefault(name, []).append(outcome)
    return outcomes


def test_a_bare_process_fails_most_of_the_list(outcomes):
    failed = [name for name, found in outcomes.items() if "failure" in found]
    passed = [name for name, found in outcomes.items() if "passed" in found and "failure" not in found]
    print(f"a bare process fails {len(failed)} tests: {failed}\nand passes {len(passed)}: {passed}")
    assert len(failed) >= ENOUGH


@pytest.mark.parametrize(
    "name",
    [
        "floods::test_fork_bomb",
        "floods::test_memory_flood_across_processes",
        "floods::test_processes_do_not_outlive_the_call",
        "processes::test_looking_into_another_process",
        "processes::test_seeing_processes_of_the_host",
        "reach::test_reading_a_file_of_the_host",
        "reach::test_calling_the_host",
        "reach::test_seeing_another_session",
        "kernel::test_refused",
        "files::test_put_through_a_link",
    ],
)
def test_it_fails_where_it_must(outcomes, name):
    assert "failure" in outcomes[f"test_sandbox_{name}"]
