"""Our certificate authority, as real verifiers see it."""

from __future__ import annotations

import datetime
import ssl
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from mockpush import tls
from mockpush.errors import ConfigurationError
from mockpush.tls import CA_FILE, KEY_FILE, CertificateAuthority, server_context


@pytest.fixture(scope="module")
def authority():
    return CertificateAuthority.create()


def leaf_of(chain: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(chain)


def verify(authority: CertificateAuthority, leaf: x509.Certificate, subject: x509.GeneralName):
    """As browsers do (the web's profile of RFC 5280), by an implementation that is not OpenSSL."""
    policy = PolicyBuilder().store(Store([authority.certificate]))
    return policy.build_server_verifier(subject).verify(leaf, [])


def handshake(authority: CertificateAuthority, chain: bytes, directory: Path, *, name: str) -> None:
    """OpenSSL at its strictest, in memory."""
    client_context = ssl.create_default_context(cadata=authority.pem.decode())
    client_context.verify_flags |= ssl.VERIFY_X509_STRICT
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context(chain, directory=directory).wrap_bio(
        to_server, to_client, server_side=True
    )
    client = client_context.wrap_bio(to_client, to_server, server_hostname=name)
    waiting = [client, server, client, server]
    for side in waiting:
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    assert client.version() == "TLSv1.3"


NAMES = ["localhost", "127.0.0.1", "::1", "push.test", "[fd00::1]", "bücher.test", "*.wild.test"]


@pytest.mark.parametrize(
    "name",
    ["localhost", "127.0.0.1", "::1", "push.test", "fd00::1", "xn--bcher-kva.test", "a.wild.test"],
)
def test_the_strictest_openssl_accepts_the_certificate_for_every_name(authority, tmp_path, name):
    handshake(authority, authority.issue(NAMES), tmp_path, name=name)


@pytest.mark.parametrize("name", ["example.com", "127.0.0.2", "wild.test"])
def test_other_names_are_refused(authority, tmp_path, name):
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        handshake(authority, authority.issue(NAMES), tmp_path, name=name)


@pytest.mark.parametrize(
    ("days", "problem"), [(-398, "certificate has expired"), (1, "not yet valid")]
)
def test_a_certificate_is_valid_from_its_begin_to_its_end(authority, tmp_path, days, problem):
    begin = datetime.datetime.fromtimestamp(tls.real_time(), datetime.UTC)
    chain = authority.issue(NAMES, begin=begin + datetime.timedelta(days=days))
    with pytest.raises(ssl.SSLCertVerificationError, match=problem):
        handshake(authority, chain, tmp_path, name="localhost")


def test_a_verifier_that_is_not_openssl_accepts_the_certificate(authority):
    leaf = leaf_of(authority.issue(["localhost"]))
    assert verify(authority, leaf, x509.DNSName("localhost")) == [leaf, authority.certificate]


def test_certificates_of_different_authorities_are_not_taken_for_each_other(authority):
    other = CertificateAuthority.create()
    assert other.certificate.subject != authority.certificate.subject
    with pytest.raises(VerificationError):
        verify(other, leaf_of(authority.issue(["localhost"])), x509.DNSName("localhost"))


def test_a_server_certificate_cannot_sign_others(authority):
    leaf = leaf_of(authority.issue(["localhost"]))
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not leaf.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign


@pytest.mark.parametrize("name", ["", "a b", "push.test:8031", "https://push.test", "-a", "ü" * 80])
def test_what_is_no_host_name_is_named(authority, name):
    with pytest.raises(ConfigurationError, match=r"--hostname .* neither a host name nor an IP"):
        authority.issue(["localhost", name])


def test_every_certificate_lives_long_enough_and_the_leaf_not_too_long(authority):
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    leaf = leaf_of(authority.issue(["localhost"]))
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= 398 * day  # Apple's limit
    assert leaf.not_valid_after_utc > now + 300 * day
    assert authority.certificate.not_valid_after_utc > now + 3600 * day
    for certificate in (leaf, authority.certificate):
        assert certificate.not_valid_before_utc < now - day / 2  # for clocks that are late


@pytest.mark.parametrize("freezer", ["freezegun.freeze_time", "time_machine.travel"])
@pytest.mark.parametrize("imported", ["before", "while frozen"])
def test_certificates_are_dated_in_real_time(run_python, freezer, imported):
    module = freezer.partition(".")[0]
    first = "from mockpush.tls import CertificateAuthority" if imported == "before" else ""
    printed = run_python(
        f"""
import {module}
{first}
with {freezer}("2001-01-01"):
    from mockpush.tls import CertificateAuthority
    authority = CertificateAuthority.create()
    print((authority.pem + authority.issue(["localhost"])).decode())
"""
    )
    now = datetime.datetime.now(datetime.UTC)
    for certificate in x509.load_pem_x509_certificates(printed.encode()):
        assert certificate.not_valid_before_utc < now < certificate.not_valid_after_utc


# Keeping it


def test_a_kept_authority_is_the_same_next_time(tmp_path):
    first = CertificateAuthority.kept_in(tmp_path / "deep" / "data")
    again = CertificateAuthority.kept_in(tmp_path / "deep" / "data")
    assert first.pem == again.pem
    handshake(again, first.issue(["localhost"]), tmp_path, name="localhost")


def test_only_the_owner_can_read_the_key_and_everybody_the_certificate(tmp_path):
    authority = CertificateAuthority.kept_in(tmp_path / "data")
    public = authority.publish(tmp_path / "data")
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in [tmp_path / "data", *(tmp_path / "data").iterdir()]
    }
    assert modes == {"data": 0o700, KEY_FILE: 0o600, CA_FILE: 0o644}
    assert public.read_bytes() == authority.pem
    assert b"PRIVATE" not in public.read_bytes()


def test_publishing_again_leaves_the_file_alone(authority, tmp_path):
    before = authority.publish(tmp_path).stat()
    assert authority.publish(tmp_path).stat() == before
    assert CertificateAuthority.create().publish(tmp_path).stat().st_ino != before.st_ino


def test_processes_that_race_for_a_directory_end_up_with_one_authority(tmp_path):
    program = f"""
import sys
from pathlib import Path
from mockpush.tls import CertificateAuthority
sys.stdin.read()
authority = CertificateAuthority.kept_in(Path({str(tmp_path / "data")!r}))
print((authority.pem + authority.issue(["localhost"])).decode())
"""
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(4)
    ]
    for racer in racers:
        racer.stdin.close()  # off they go
    outputs = []
    for racer in racers:
        outputs.append(racer.stdout.read())
        racer.stdout.close()
        assert racer.wait() == 0
    kept = CertificateAuthority.kept_in(tmp_path / "data")
    for output in outputs:
        root, leaf = x509.load_pem_x509_certificates(output)
        assert root == kept.certificate
        verify(kept, leaf, x509.DNSName("localhost"))
    assert [path.name for path in (tmp_path / "data").iterdir()] == [KEY_FILE]


def test_the_one_that_comes_second_keeps_the_first(tmp_path):
    first, second = CertificateAuthority.create(), CertificateAuthority.create()
    first.save(tmp_path)
    second.save(tmp_path)
    assert CertificateAuthority.load(tmp_path).pem == first.pem


def test_a_file_system_without_hard_links_will_do(tmp_path, monkeypatch):
    def refuse(source, target):
        raise PermissionError("no hard links")

    monkeypatch.setattr(tls.os, "link", refuse)
    first = CertificateAuthority.kept_in(tmp_path)
    assert CertificateAuthority.kept_in(tmp_path).pem == first.pem


@pytest.mark.parametrize("years", [-11, 11])
def test_an_authority_out_of_its_time_is_replaced(tmp_path, monkeypatch, years):
    then = tls.real_time() + years * 365 * 86400
    with monkeypatch.context() as patch:
        patch.setattr(tls, "real_time", lambda: then)
        old = CertificateAuthority.kept_in(tmp_path)
    new = CertificateAuthority.kept_in(tmp_path)
    assert new.pem != old.pem
    assert CertificateAuthority.kept_in(tmp_path).pem == new.pem


def test_an_authority_that_would_end_before_its_leaf_is_replaced(tmp_path, monkeypatch):
    old = CertificateAuthority.kept_in(tmp_path)
    almost = tls.real_time() + (tls.CA_LIFETIME - tls.LEAF_LIFETIME).total_seconds()
    monkeypatch.setattr(tls, "real_time", lambda: almost)
    assert CertificateAuthority.kept_in(tmp_path).pem != old.pem


def pem_of(key, certificate: bytes = b"") -> bytes:
    return certificate + key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@pytest.mark.parametrize(
    "spoil",
    [
        lambda authority: b"",
        lambda authority: b"rubbish",
        lambda authority: authority.pem,
        lambda authority: pem_of(authority.key),
        lambda authority: pem_of(ec.generate_private_key(ec.SECP256R1()), authority.pem),
        lambda authority: pem_of(rsa.generate_private_key(65537, 2048), authority.pem),
    ],
    ids=["empty", "rubbish", "no key", "no certificate", "another key", "an RSA key"],
)
def test_a_spoilt_file_is_named_with_the_way_out(authority, tmp_path, spoil):
    (tmp_path / KEY_FILE).write_bytes(spoil(authority))
    with pytest.raises(ConfigurationError, match=rf"{KEY_FILE} .* delete it for a new one"):
        CertificateAuthority.kept_in(tmp_path)


def test_a_directory_that_cannot_be_made_is_a_configuration_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"cannot be kept in .*file"):
        CertificateAuthority.kept_in(tmp_path / "file")


def test_a_certificate_that_cannot_be_published_is_a_configuration_error(authority, tmp_path):
    (tmp_path / CA_FILE).mkdir()
    with pytest.raises(ConfigurationError, match=r"ca\.pem cannot be written"):
        authority.publish(tmp_path)


def test_the_key_of_the_server_does_not_stay_on_the_disk(authority, tmp_path):
    server_context(authority.issue(["localhost"]), directory=tmp_path)
    assert list(tmp_path.iterdir()) == []
