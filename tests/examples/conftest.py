import pytest


@pytest.fixture(autouse=True)
def vapid_key_of_the_application(push_vapid, monkeypatch):
    monkeypatch.setenv("VAPID_PRIVATE_KEY", push_vapid.private_key)
