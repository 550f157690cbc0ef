"""Ready senders: found by name, installed when they are first used, driven from the cache."""

import json
import os
import sys

import pytest

from mockpush.errors import ConfigurationError
from mockpush.harness.errors import SenderStartError
from mockpush.harness.runner import run_checks
from mockpush.harness.sender import environment
from mockpush.harness.senders.registry import READY, ready_sender

HELLO = b'{"op": "hello"}'


def test_a_ready_sender_is_found_by_its_name():
    assert ready_sender("pywebpush") is READY["pywebpush"]


@pytest.mark.parametrize(
    ("name", "hint"), [("pywebpus", "do you mean pywebpush"), ("zzz", "there is: pywebpush, ")]
)
def test_a_name_that_is_none_brings_those_that_are(name, hint):
    with pytest.raises(ConfigurationError, match=hint):
        ready_sender(name)


def test_it_is_installed_when_it_is_first_used(ready, capsys):
    sender = ready()
    assert not sender.installed
    adapter = sender.open(environment({}))
    assert sender.installed
    assert json.loads(adapter.ask(HELLO, timeout=30))["version"] == "1.5"
    adapter.close()
    first, second = capsys.readouterr().err.splitlines()
    assert first == "installing libfake 1.5 for --sender fake …"
    assert second.startswith("installed in ")


def test_once_installed_it_is_used_as_it_is(ready, capsys):
    ready().install()
    capsys.readouterr()
    sender = ready()
    sender.open(environment({})).close()
    assert (sender.missing, capsys.readouterr().err) == (None, "")


def test_a_run_installs_what_it_drives(ready):
    report = run_checks(ready(), cases=["rfc8030/5/post"])
    assert (report.sender.name, report.sender.version) == ("fake", "1.5")


def test_what_trusts_the_service_does_not_install(ready, cache):
    program = "import os; open('made', 'w').write(os.environ.get('SSL_CERT_FILE', ''))"
    sender = ready(install=((sys.executable, "-c", program),), discards=())
    sender.open({**os.environ, "SSL_CERT_FILE": "/ours.pem"}).close()
    (made,) = cache.glob("fake-*/made")
    assert made.read_text() == os.environ.get("SSL_CERT_FILE", "")


def test_an_installation_that_fails_says_why(ready):
    sender = ready(install=((sys.executable, "-c", "raise SystemExit('no network')"),))
    with pytest.raises(SenderStartError, match=r"^fake cannot be installed: (.|\n)*\nno network$"):
        sender.install()


def test_a_missing_toolchain_is_said_in_one_sentence(ready):
    sender = ready(install=(("no-such-tool", "build"),), run=("no-such-run", "{entry}"))
    missing = "no-such-tool and no-such-run not found: install Fake from somewhere"
    assert sender.missing == missing
    with pytest.raises(SenderStartError, match=f"^fake cannot be driven: {missing}$"):
        sender.open(environment({}))


def test_what_is_installed_needs_only_what_runs_it(ready, tmp_path, monkeypatch):
    tool = tmp_path / "make-it"
    tool.write_text(f"#!{sys.executable}\nopen('made', 'w')\n")
    tool.chmod(0o755)
    path = os.environ["PATH"]
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{path}")
    sender = ready(install=(("make-it",),), run=("{here}/adapter",), discards=())
    sender.install()
    monkeypatch.setenv("PATH", path)
    assert sender.missing is None


def test_the_users_own_library_comes_first(ready, source):
    program = "def answer(job):\n    return {'name': 'own', 'ops': ['send']}\n"
    (source / "adapter.py").write_text(program)
    sender = ready(
        own_first=True, library="pytest", entry="adapter.py:answer", run=("no-such-run",)
    )
    assert (sender.version, sender.installed, sender.missing) == (pytest.__version__, True, None)
    adapter = sender.open(environment({}))
    assert json.loads(adapter.ask(HELLO, timeout=30))["name"] == "own"
    adapter.close()


def test_without_one_the_pinned_version_is_driven(ready):
    sender = ready(own_first=True, library="no-such-library")
    assert (sender.version, sender.installed) == ("1.5", False)


def test_a_library_that_happens_to_be_there_is_not_driven(ready):
    assert ready(library="pytest").version == "1.5"


@pytest.mark.parametrize("name", READY)
def test_the_folder_of_each_pins_what_the_table_says(name):
    sender = READY[name]
    pins = {
        "requirements.txt": f"{sender.library}=={sender.pinned}\n",
        "package.json": f'"{sender.library}": "{sender.pinned}"\n',
        "go.mod": f"{sender.library} v{sender.pinned}",
        "Cargo.toml": f'{sender.library} = "={sender.pinned}"',
        "pom.xml": f"<version>{sender.pinned}</version>",
    }
    files = {file for file in pins if (sender.source / file).exists()}
    assert len(files) == 1
    (file,) = files
    assert pins[file] in (sender.source / file).read_text().replace("_", "-")


@pytest.mark.parametrize("name", READY)
def test_the_program_of_each_is_in_its_folder(name):
    sender = READY[name]
    assert (sender.source / sender.entry.partition(":")[0]).is_file()


@pytest.mark.parametrize("lock", sorted({each.source for each in READY.values()}))
def test_no_lock_file_names_a_registry(lock):
    for file in lock.glob("*lock*"):
        assert '"resolved"' not in file.read_text()
