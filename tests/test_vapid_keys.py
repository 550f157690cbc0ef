"""The VAPID pair: its forms, its files, its variables."""

from __future__ import annotations

import base64
import json
import os
import pickle
import stat
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
    load_pem_public_key,
)
from py_vapid import Vapid02

from mockpush.errors import ConfigurationError
from mockpush.vapid_keys import VapidKeys, service_keys


@pytest.fixture(scope="module")
def keys() -> VapidKeys:
    return VapidKeys.generate()


def numbers(key) -> int:
    return key.private_numbers().private_value


def test_every_private_form_is_the_same_key(keys):
    forms = keys.formats()
    value = int.from_bytes(keys.scalar, "big")
    assert numbers(load_pem_private_key(forms["private_key_pem"].encode(), None)) == value
    assert numbers(load_pem_private_key(forms["private_key_sec1_pem"].encode(), None)) == value
    assert numbers(load_der_private_key(base64.b64decode(forms["private_key_der"]), None)) == value


def test_every_public_form_is_the_same_key(keys):
    forms = keys.formats()
    public = load_pem_public_key(forms["public_key_pem"].encode()).public_numbers()
    padded = forms["jwk"]["x"] + "="
    assert int.from_bytes(base64.urlsafe_b64decode(padded), "big") == public.x
    assert keys.application_server_key == public.public_key().public_bytes(
        Encoding.X962, PublicFormat.UncompressedPoint
    )


def test_the_library_of_pywebpush_reads_the_pair(keys, tmp_path):
    file = tmp_path / "key.pem"
    keys.save(file)
    assert numbers(Vapid02.from_file(str(file)).private_key) == int.from_bytes(keys.scalar, "big")
    assert numbers(Vapid02.from_string(keys.private_key).private_key) == numbers(
        Vapid02.from_file(str(file)).private_key
    )


def test_claims_are_a_new_dict_each_time(keys):
    keys.claims()["aud"] = "https://push.example.com"
    assert keys.claims(exp=1) == {"sub": "mailto:test@example.com", "exp": 1}


def test_the_private_key_is_not_shown(keys):
    assert keys.private_key not in repr(keys)
    assert "PRIVATE KEY" not in repr(keys)


def test_a_pair_pickles(keys):
    assert pickle.loads(pickle.dumps(keys)) == keys


def content(keys: VapidKeys, form: str) -> bytes:
    key = load_pem_private_key(keys.private_key_pem.encode(), None)
    return {
        "pem": keys.private_key_pem.encode(),
        "der": key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        "sec1": key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        "scalar": b"\x80" + keys.scalar[1:],
        "base64url": keys.private_key.encode() + b"\n",
        "web-push": json.dumps(
            {"publicKey": keys.public_key, "privateKey": keys.private_key}
        ).encode(),
        "jwk": json.dumps(keys.jwk()).encode(),
        "json": json.dumps(keys.formats()).encode(),
    }[form]


@pytest.mark.parametrize("form", ["pem", "der", "sec1", "base64url", "web-push", "jwk", "json"])
def test_a_file_in_any_form_is_read(keys, tmp_path, form):
    file = tmp_path / "key"
    file.write_bytes(content(keys, form))
    assert VapidKeys.read(file) == keys


def test_a_file_with_the_scalar_itself_is_read(keys, tmp_path):
    file = tmp_path / "key"
    file.write_bytes(content(keys, "scalar"))
    assert VapidKeys.read(file).scalar == content(keys, "scalar")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"hello", "cannot be read"),
        (b"{", "not JSON"),
        (b"{}", "none of privateKey, private_key, d"),
        (b"\xff\xfe\x00", "cannot be read"),
        (
            ec.generate_private_key(ec.SECP384R1()).private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
            ),
            "not a P-256 key",
        ),
    ],
)
def test_a_file_that_is_no_key_is_refused_with_its_name_and_the_way_out(tmp_path, data, words):
    file = tmp_path / "key"
    file.write_bytes(data)
    with pytest.raises(ConfigurationError, match=words) as caught:
        VapidKeys.read(file)
    assert str(file) in str(caught.value)
    assert "mockpush vapid keys -o FILE" in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="No such file"):
        VapidKeys.read(tmp_path / "key")


def test_a_saved_key_is_for_nobody_else_to_read_and_never_replaced(keys, tmp_path):
    file = tmp_path / "below" / "key.pem"
    assert keys.save(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not VapidKeys.generate().save(file)
    assert VapidKeys.read(file) == keys
    assert [each.name for each in file.parent.iterdir()] == ["key.pem"]


def test_a_key_is_saved_where_there_are_no_hard_links(keys, tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    file = tmp_path / "key.pem"
    assert keys.save(file)
    assert not VapidKeys.generate().save(file)
    assert [each.name for each in tmp_path.iterdir()] == ["key.pem"]


def test_a_key_that_cannot_be_saved_is_a_configuration_error(keys, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        keys.save(tmp_path / "file" / "key.pem")


def test_a_directory_keeps_one_key_for_all_processes(tmp_path):
    program = (
        "import sys, pathlib; from mockpush.vapid_keys import VapidKeys;"
        "print(VapidKeys.kept_in(pathlib.Path(sys.argv[1])).public_key)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "data")]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    outputs = {process.communicate()[0] for process in started}
    assert outputs == {VapidKeys.kept_in(tmp_path / "data").public_key + "\n"}


def test_a_service_takes_its_file_before_its_directory_before_a_new_key(keys, tmp_path):
    file, directory = tmp_path / "key.pem", tmp_path / "data"
    keys.save(file)
    assert service_keys(vapid_key=file, data_dir=directory) == keys
    kept = service_keys(vapid_key=None, data_dir=directory)
    assert kept == service_keys(vapid_key=None, data_dir=directory) != keys
    assert service_keys(vapid_key=None, data_dir=None) not in (keys, kept)


def test_no_variable_is_no_pair():
    assert VapidKeys.from_environment({"VAPID_SUBJECT": "mailto:me@example.com"}) is None


def test_the_pair_of_the_variables_comes_with_their_contact(keys):
    environ = {"VAPID_PRIVATE_KEY": keys.private_key, "VAPID_SUBJECT": "mailto:me@example.com"}
    found = VapidKeys.from_environment(environ)
    assert (found.public_key, found.subject) == (keys.public_key, "mailto:me@example.com")


def test_what_a_pair_puts_into_the_environment_it_finds_there_again(keys, monkeypatch):
    for name, value in keys.environ().items():
        monkeypatch.setenv(name, value)
    assert VapidKeys.from_environment() == keys


def test_the_variable_may_hold_pem_or_name_a_file(keys, tmp_path):
    assert VapidKeys.from_environment({"VAPID_PRIVATE_KEY": keys.private_key_pem}) == keys
    keys.save(tmp_path / "key.pem")
    assert VapidKeys.from_environment({"VAPID_PRIVATE_KEY": str(tmp_path / "key.pem")}) == keys


@pytest.mark.parametrize("text", ["rubbish", "x" * 5000, "a\0b"])
def test_a_variable_that_holds_no_key_is_refused_by_its_name(text):
    with pytest.raises(ConfigurationError, match="VAPID_PRIVATE_KEY must be a P-256 private key"):
        VapidKeys.from_environment({"VAPID_PRIVATE_KEY": text})
