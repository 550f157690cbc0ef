"""Each mistake in records and padding is named, on a body of a sender that makes just that one."""

from __future__ import annotations

from dataclasses import replace

import pytest

TEXT = b"When I grow up, I want to be a watermelon"
BINARY = bytes(range(128, 200))


def test_one_record_that_is_longer_than_rs_is_named_with_the_numbers(agree):
    a = agree()
    cause = a.final(a.final_keys(), bytes(4100) + b"\x02").cause()
    assert cause.code == "encryption.record.exceeds_rs"
    assert cause.expected == "rs greater than 4117"
    assert cause.actual.startswith("rs=4096 and one record of 4117 octets")
    assert cause.plaintext == bytes(4100)


@pytest.mark.parametrize("length", [4095, 4100, 4500])
def test_one_record_of_the_draft_that_is_longer_than_rs_is_named_with_the_numbers(agree, length):
    a = agree()
    cause = a.draft(a.draft_keys(), bytes(2 + length)).cause()
    assert cause.code == "encryption.record.exceeds_rs"
    assert cause.expected == f"rs greater than {length + 2}"
    assert cause.actual.startswith(f"rs=4096 and one record of {length + 18} octets")


def test_a_wrong_key_is_found_behind_a_record_that_is_longer_than_rs(agree):
    a = agree()
    cause = a.final(replace(a, auth=b"").final_keys(), bytes(4100) + b"\x02").cause()
    assert cause.code == "encryption.auth.empty"


@pytest.mark.parametrize("length", [25, 40, 41])
def test_several_records_that_are_longer_than_rs_are_named(agree, length):
    a = agree()
    records = (bytes(length - 17) + b"\x01", BINARY[: length - 20] + b"\x02")
    cause = a.final(a.final_keys(), *records, rs=24).cause()
    assert cause.code == "encryption.record.exceeds_rs"
    assert cause.expected == f"rs greater than {length}"
    assert cause.actual.startswith(f"rs=24 and records of {length} octets")
    assert cause.plaintext == bytes(length - 17) + BINARY[: length - 20]


@pytest.mark.parametrize("length", [41, 42])
def test_several_records_of_the_draft_that_are_longer_than_rs_are_named(agree, length):
    a = agree()
    records = (bytes(length - 16), b"\x00\x00" + BINARY[: length - 20])
    cause = a.draft(a.draft_keys(), *records, rs=24).cause()
    assert cause.code == "encryption.record.exceeds_rs"
    assert cause.expected == f"rs greater than {length - 16}"
    assert cause.actual.startswith(f"rs=24 and records of {length} octets")
    assert cause.plaintext == bytes(length - 18) + BINARY[: length - 20]


def test_records_of_the_draft_whose_rs_counts_the_tag_are_named(agree):
    a = agree()
    cause = a.draft(a.draft_keys(), bytes(8), b"\x00\x00end", rs=24).cause()
    assert (cause.code, cause.plaintext) == ("aesgcm.rs.includes_tag", bytes(6) + b"end")


def test_a_tag_before_the_ciphertext_is_named(agree):
    a = agree()
    for sent, start in ((a.final(a.final_keys()), 86), (a.draft(a.draft_keys()), 0)):
        sealed = sent.body[start:]
        turned = replace(sent, body=sent.body[:start] + sealed[-16:] + sealed[:-16])
        assert turned.cause().code == "encryption.tag.first"
        assert turned.cause().plaintext == TEXT


def test_a_first_record_with_number_one_is_named(agree):
    a = agree()
    cek, nonce = a.final_keys()
    second = nonce[:-1] + bytes((nonce[-1] ^ 1,))
    cause = a.final((cek, second)).cause()
    assert (cause.code, cause.plaintext) == ("encryption.nonce.sequence", TEXT)


def test_the_header_as_additional_data_is_named(agree):
    a = agree()
    cause = a.final(a.final_keys(), aad=a.header()).cause()
    assert (cause.code, cause.plaintext) == ("encryption.additional_data.present", TEXT)


def test_a_record_size_below_the_tag_hinders_no_diagnosis(agree):
    a = agree()
    cause = a.draft(replace(a, auth=b"").draft_keys(), b"\x00\x00" + BINARY, rs=3).cause()
    assert (cause.code, cause.plaintext) == ("encryption.auth.empty", BINARY)


@pytest.mark.parametrize(
    ("record", "code", "content"),
    [
        (TEXT, "encryption.delimiter.wrong", TEXT),
        (TEXT + b"\x01", "encryption.delimiter.wrong", TEXT + b"\x01"),
        (bytes(20), "encryption.delimiter.missing", bytes(18)),
        (b"\x00\x00" + TEXT, "encryption.padding.draft", TEXT),
        (b"\x00\x03\x00\x00\x00" + TEXT, "encryption.padding.draft", TEXT),
    ],
)
def test_a_record_without_its_delimiter_is_shown(agree, record, code, content):
    a = agree()
    cause = a.final(a.final_keys(), record).cause()
    assert (cause.code, cause.plaintext) == (code, content)


@pytest.mark.parametrize(
    ("record", "code", "content"),
    [
        (b"\xff\xff" + TEXT, "aesgcm.padding.exceeds_record", b"\xff\xff" + TEXT),
        (TEXT, "aesgcm.padding.exceeds_record", TEXT),
        (b"\x00\x04" + TEXT, "aesgcm.padding.not_zero", b"\x00\x04" + TEXT),
        (TEXT + b"\x02\x00", "aesgcm.padding.final", TEXT),
    ],
)
def test_a_record_of_the_draft_without_its_pad_length_is_shown(agree, record, code, content):
    a = agree()
    cause = a.draft(a.draft_keys(), record).cause()
    assert (cause.code, cause.plaintext) == (code, content)


def test_a_pad_length_that_wrapped_around_is_printed_with_the_record(agree):
    a = agree()
    pad = (2820 - 3993) % 2**16
    cause = a.draft(a.draft_keys(), pad.to_bytes(2, "big") + bytes(3993)).cause()
    assert cause.code == "aesgcm.padding.exceeds_record"
    assert cause.expected == "a pad length of at most 3993"
    assert cause.actual == "pad length 64363 in a record of 3995 octets"


def test_a_record_without_even_a_pad_length_stays_as_the_reader_found_it(agree):
    a = agree()
    assert a.draft(a.draft_keys(), b"\x00").cause().code == "aesgcm.record.too_short"
    assert a.final(a.final_keys(), b"").cause().code == "encryption.record.too_short"
