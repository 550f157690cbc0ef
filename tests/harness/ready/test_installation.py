"""Installations: whole or not there, one for the same files, and nothing left behind."""

import json
import os
import subprocess
import sys
import zipfile

import pytest

from mockpush.harness.errors import SenderStartError
from mockpush.harness.processes import SenderProcess
from mockpush.harness.senders.installation import Installation
from mockpush.harness.senders.toolchains import NODE, PYTHON


def python(program: str) -> tuple[str, ...]:
    return (sys.executable, "-c", program)


@pytest.fixture
def installation(source, cache, toolchain):
    def make(**given) -> Installation:
        return Installation(source=source, toolchain=toolchain(**given), environ=os.environ)

    return make


def test_the_commands_run_one_after_another_in_a_copy_of_the_folder(installation, source, cache):
    first = python("open('order', 'w').write('first ')")
    second = python("open('order', 'a').write(open('inner/more.txt').read())")
    made = installation(install=(first, second), discards=())
    made.make()
    assert made.exists
    assert made.directory.parent == cache
    assert (made.directory / "order").read_text() == "first more"
    assert not (source / "order").exists()


def test_what_only_the_installation_needs_goes(installation):
    made = installation()
    made.make()
    assert sorted(each.name for each in made.directory.iterdir()) == ["adapter.py", "inner", "made"]


def test_it_tells_its_place_to_the_commands(installation):
    tells = python("import sys; open(sys.argv[1], 'w')")
    made = installation(install=((*tells, "{here}/x"),), discards=())
    made.make()
    assert (made.directory / "x").exists()


def test_what_tools_leave_in_the_folder_does_not_count(installation, source):
    before = installation().directory
    for name in ("__pycache__", "node_modules", "target"):
        (source / "inner" / name).mkdir()
        (source / "inner" / name / "x").touch()
    assert installation().directory == before
    installation().make()
    assert os.listdir(before / "inner") == ["more.txt"]


def test_a_change_makes_it_another_one(installation, source):
    places = [installation().directory]
    (source / "adapter.py").write_text("changed")
    places.append(installation().directory)
    (source / "adapter.py").rename(source / "other.py")
    places.append(installation().directory)
    places.append(installation(install=()).directory)
    places.append(installation(depends=("3.14",)).directory)
    assert len(set(places)) == 5


def test_who_comes_second_finds_it_made(installation, cache):
    made = installation()
    made.make()
    made.make()
    assert os.listdir(cache) == [made.directory.name]


def test_a_command_that_fails_says_what_it_said_and_leaves_nothing(installation, cache):
    fails = python("import sys; print('no such version'); sys.exit('ask somebody else')")
    with pytest.raises(SenderStartError) as failure:
        installation(install=(fails,)).make()
    first, *rest = str(failure.value).splitlines()
    assert first.endswith("ended with exit code 1")
    assert rest == ["no such version", "", "ask somebody else"]
    assert os.listdir(cache) == []


def test_a_command_that_cannot_be_started_says_so(installation, cache):
    with pytest.raises(SenderStartError, match="/no/such/tool: No such file"):
        installation(install=(("/no/such/tool", "x"),)).make()
    assert os.listdir(cache) == []


def test_a_cache_that_cannot_be_written_says_so(installation, monkeypatch, source):
    monkeypatch.setenv("MOCKPUSH_CACHE_DIR", str(source / "adapter.py"))
    with pytest.raises(SenderStartError, match=r"adapter\.py/senders: Not a directory"):
        installation().make()


def test_an_interruption_leaves_neither_processes_nor_files(
    installation, cache, witness, monkeypatch
):
    waits = python(WAITS)
    wait = SenderProcess.wait

    def interrupted(self, *, timeout):
        monkeypatch.setattr(SenderProcess, "wait", wait)
        witness.somebody_is_there()
        raise KeyboardInterrupt

    monkeypatch.setattr(SenderProcess, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        installation(install=((*waits, witness.path),)).make()
    assert witness.all_gone()
    assert os.listdir(cache) == []


WAITS = """
import sys, time

witness = open(sys.argv[1], "wb", buffering=0)
witness.write(b"!")
time.sleep(100)
"""


# The real tools, with what is on this machine

WHEEL = {
    "libfake.py": "def answer(job):\n    return {'name': 'libfake', 'ops': ['send']}\n",
    "libfake-1.5.dist-info/METADATA": "Metadata-Version: 2.1\nName: libfake\nVersion: 1.5\n",
    "libfake-1.5.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "libfake-1.5.dist-info/RECORD": "",
}


def hello(command: list[str]) -> dict:
    job = '{"op": "hello"}\n'
    completed = subprocess.run(command, input=job, capture_output=True, text=True, check=True)
    return json.loads(completed.stdout)


def test_python_gets_an_environment_of_its_own(source, cache, tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "libfake-1.5-py3-none-any.whl", "w") as wheel:
        for name, text in WHEEL.items():
            wheel.writestr(name, text)
    (source / "requirements.txt").write_text("libfake==1.5\n")
    (source / "adapter.py").write_text("from libfake import answer\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    made = Installation(source=source, toolchain=PYTHON, environ=os.environ)
    made.make()
    monkeypatch.setenv("PYTHONPATH", str(source / "nothing"))
    command = PYTHON.command(made.directory, "adapter.py:answer")
    assert hello(command) == {"name": "libfake", "ops": ["send"]}


@pytest.mark.needs_node
def test_node_gets_the_packages_of_the_lock_file(source, cache):
    (source / "libfake").mkdir()
    package = {"name": "libfake", "version": "1.5.0", "main": "index.js"}
    (source / "libfake" / "package.json").write_text(json.dumps(package))
    (source / "libfake" / "index.js").write_text("exports.name = 'libfake';\n")
    needs = {"dependencies": {"libfake": "file:libfake"}}
    packages = {
        "": needs,
        "libfake": {"version": "1.5.0"},
        "node_modules/libfake": {"resolved": "libfake", "link": True},
    }
    lock = {"lockfileVersion": 3, "packages": packages}
    (source / "package.json").write_text(json.dumps(needs))
    (source / "package-lock.json").write_text(json.dumps(lock))
    (source / "adapter.mjs").write_text(
        "import { name } from 'libfake';\nconsole.log(JSON.stringify({ name }));\n"
    )
    made = Installation(source=source, toolchain=NODE, environ=os.environ)
    made.make()
    assert hello(NODE.command(made.directory, "adapter.mjs")) == {"name": "libfake"}
