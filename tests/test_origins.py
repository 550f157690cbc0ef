"""What a server is called."""

from __future__ import annotations

import pytest

from mockpush.origins import Address, is_one_of, reached_origin


def test_origins_name_every_host_on_both_ports_https_first():
    address = Address("127.0.0.1", 8030, 8031, ("push.test",))
    assert address.origins == (
        "https://localhost:8031",
        "https://127.0.0.1:8031",
        "https://[::1]:8031",
        "https://push.test:8031",
        "http://localhost:8030",
        "http://127.0.0.1:8030",
        "http://[::1]:8030",
        "http://push.test:8030",
    )


def test_origins_leave_out_the_default_ports():
    address = Address("127.0.0.1", 80, 443)
    assert (address.url, address.https_url) == ("http://127.0.0.1", "https://localhost")


@pytest.mark.parametrize(
    ("host", "url", "https_url"),
    [
        ("127.0.0.1", "http://127.0.0.1:1", "https://localhost:2"),
        ("localhost", "http://127.0.0.1:1", "https://localhost:2"),
        ("0.0.0.0", "http://127.0.0.1:1", "https://localhost:2"),
        ("::", "http://127.0.0.1:1", "https://localhost:2"),
        ("192.0.2.7", "http://192.0.2.7:1", "https://192.0.2.7:2"),
        ("2001:db8::7", "http://[2001:db8::7]:1", "https://[2001:db8::7]:2"),
    ],
)
def test_urls_are_reachable_from_this_machine(host, url, https_url):
    address = Address(host, 1, 2)
    assert (address.url, address.https_url) == (url, https_url)
    assert https_url in address.origins


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("push.test", True),
        ("PUSH.test.", True),
        ("a.vendor.test", True),
        ("a.b.vendor.test", True),
        ("vendor.test", False),
        (".vendor.test", False),
        ("notvendor.test", False),
        ("a.push.test", False),
        ("", False),
    ],
)
def test_a_pattern_is_a_name_or_all_below_it(host, expected):
    assert is_one_of(host, ("push.test", "*.vendor.test")) is expected


def test_wildcard_addresses_are_no_names():
    assert Address("0.0.0.0", 1, 2).names == ("localhost", "127.0.0.1", "::1")


def test_hostnames_become_origins_as_browsers_write_them():
    address = Address("127.0.0.1", 1, 2, ("Push.Test", "bücher.test", "[fd00::1]", "*.push.test"))
    assert address.origins[3:6] == (
        "https://push.test:2",
        "https://xn--bcher-kva.test:2",
        "https://[fd00::1]:2",
    )
    assert len(address.origins) == 12  # a wildcard is in the certificate, but no origin
    assert "*.push.test" in address.names


@pytest.mark.parametrize(
    ("reached", "origin"),
    [
        ("http://127.0.0.1:8030", "http://127.0.0.1:8030"),
        ("http://elsewhere:8030", "http://localhost:8030"),
        ("https://elsewhere", "https://localhost:8031"),
        ("gopher://localhost", "https://localhost:8031"),
    ],
)
def test_the_origin_by_which_a_server_was_reached_is_one_of_its_own(reached, origin):
    origins = Address("127.0.0.1", 8030, 8031).origins
    assert reached_origin(origins, reached) == origin
