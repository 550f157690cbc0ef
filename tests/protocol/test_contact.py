"""The contact in a token, as senders write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpush.protocol.contact import check_contact


def code_of(**claims):
    """The code of the only finding, if there is one."""
    findings = []
    check_contact(claims, findings)
    codes = [finding.code for finding in findings]
    assert codes in ([], codes[:1])
    assert None not in codes
    return codes[0] if codes else None


@pytest.mark.parametrize(
    ("contact", "code"),
    [
        ("mailto:push@example.com", None),
        ("MAILTO:Push@Example.COM", None),
        ("mailto:a@example.com?subject=push", None),
        ("mailto:a@example.com,b@example.com", None),
        ("mailto:jürgen@bücher.example", None),
        ("https://example.com/contact", "vapid.sub.https"),
        ("HTTPS://example.com:8443", "vapid.sub.https"),
        ("https://[2001:db8::1]/", "vapid.sub.https"),
        ("https://localhost.example.com", "vapid.sub.https"),
        ("mailto:local@example.com", None),
        ("push@example.com", "vapid.sub.bare_address"),
        ("", "vapid.sub.not_a_contact"),
        ("example.com", "vapid.sub.not_a_contact"),
        ("http://example.com", "vapid.sub.not_a_contact"),
        ("http://a@example.com", "vapid.sub.not_a_contact"),
        ("tel:+49123", "vapid.sub.not_a_contact"),
        ("mailto:mailto:a@example.com", "vapid.sub.doubled_mailto"),
        ("Mailto:mailto:a@example.com", "vapid.sub.doubled_mailto"),
        ("mailto: a@example.com", "vapid.sub.malformed"),
        ("mailto:a@example.com\n", "vapid.sub.malformed"),
        ("mailto:<a@example.com>", "vapid.sub.malformed"),
        ("Jane <a@example.com>", "vapid.sub.malformed"),
        ("mailto:", "vapid.sub.malformed"),
        ("mailto:a", "vapid.sub.malformed"),
        ("mailto:a@", "vapid.sub.malformed"),
        ("mailto:@example.com", "vapid.sub.malformed"),
        ("mailto:?subject=a@example.com", "vapid.sub.malformed"),
        ("https:", "vapid.sub.malformed"),
        ("https://", "vapid.sub.malformed"),
        ("https:///contact", "vapid.sub.malformed"),
        ("https://[::1", "vapid.sub.malformed"),
        ("mailto:a@localhost", "vapid.sub.local_host"),
        ("mailto:a@LocalHost", "vapid.sub.local_host"),
        ("mailto:a@printer.local", "vapid.sub.local_host"),
        ("mailto:a@example.invalid", "vapid.sub.local_host"),
        ("https://localhost:3000/", "vapid.sub.local_host"),
        *((other, "vapid.sub.type") for other in (None, True, 0, 1.5, [], ["mailto:a@b.c"], {})),
    ],
)
def test_a_contact_has_at_most_one_thing_wrong(contact, code):
    assert code_of(sub=contact) == code


def test_a_token_without_contact_says_so():
    assert code_of(exp=1) == "vapid.sub.missing"


@given(st.text() | st.text().map("mailto:{}".format) | st.text().map("https://{}".format))
def test_no_text_makes_the_check_raise(contact):
    code_of(sub=contact)
