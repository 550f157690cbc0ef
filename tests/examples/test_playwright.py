"""The recipes for Playwright, as they stand, with Debian's Chromium."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mockpush.web_server import WebServer

from .site import site, subscribers
from .test_playwright_in_python import context, user_agent

__all__ = ["context", "user_agent"]

VERSION = "1.65.1"
HERE = Path(__file__).parent

SHOP = """
import os, runpy, subprocess, sys
from mockpush.web_server import WebServer
site, *command = sys.argv[1:]
with WebServer(runpy.run_path(site)["site"]).running() as server:
    url = server.url.replace("127.0.0.1", "localhost") + "/"
    sys.exit(subprocess.run(command, env={**os.environ, "SHOP_URL": url}).returncode)
"""
"""Runs a command beside the application."""

INCOGNITO = """
import { chromium } from 'playwright-core';
const answer = await fetch(process.env.MOCKPUSH_CONTROL_URL + '/browsers/chromium/launch');
const { args, init_script } = await answer.json();
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args });
const context = await browser.newContext({ permissions: ['notifications'] });
await context.addInitScript(init_script);
const page = await context.newPage();
await page.goto(process.env.SHOP_URL);
console.log(await page.evaluate(() => subscribe().catch(error => `${error}`)));
await browser.close();
"""

ENDPOINT = "registration.pushManager.getSubscription().then(each => each.endpoint)"
IN_THE_WORKER = f"""
import {{ expect, test }} from './push';
test('the worker sees our endpoint', async ({{ page, context }}) => {{
  await page.goto('/');
  await page.evaluate('subscribe()');
  const [worker] = context.serviceWorkers();
  expect(await worker.evaluate('{ENDPOINT}')).toContain(process.env.MOCKPUSH_HTTPS_URL);
}});
"""

CONFIGURATION = """
import { defineConfig } from '@playwright/test';
export default defineConfig({ reporter: 'list', use: { baseURL: process.env.SHOP_URL } });
"""

pytestmark = [pytest.mark.needs_node, pytest.mark.needs_chromium]


@pytest.fixture
def run_node(npm_package, tmp_path):
    """Runs node with a package, below `mockpush exec`; returns what it prints."""

    def run(package: str, *arguments: str) -> str:
        modules = npm_package(f"{package}@{VERSION}") / "node_modules"
        (tmp_path / "node_modules").symlink_to(modules)
        shop = [sys.executable, "-c", SHOP, str(HERE / "site.py")]
        done = subprocess.run(
            [sys.executable, "-m", "mockpush.cli", "exec", "--", *shop, "node", *arguments],
            cwd=tmp_path,
            env={**os.environ, "CHROMIUM": shutil.which("chromium") or ""},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_the_recipe_passes(run_node, tmp_path):
    shutil.copy(HERE / "playwright.mjs", tmp_path)
    assert "# pass 1" in run_node("playwright-core", "--test", "playwright.mjs")


def test_the_recipe_in_typescript_passes_and_reaches_the_worker(run_node, tmp_path):
    for name in ("push.ts", "order.spec.ts"):
        shutil.copy(HERE / name, tmp_path)
    (tmp_path / "worker.spec.ts").write_text(IN_THE_WORKER)
    (tmp_path / "playwright.config.ts").write_text(CONFIGURATION)
    program = "node_modules/@playwright/test/cli.js"
    assert "2 passed" in run_node("@playwright/test", program, "test", "--workers=1")


def test_the_recipe_in_python_reaches_the_worker(context, shop_url, push_server):
    page = context.new_page()
    page.goto(shop_url)
    page.evaluate("subscribe()")
    [worker] = context.service_workers
    assert worker.evaluate(ENDPOINT).startswith(push_server.https_url)


def test_in_a_context_of_its_own_chromium_has_no_push_and_says_what_to_do(run_node):
    told = run_node("playwright-core", "--input-type=module", "-e", INCOGNITO)
    assert told.startswith("AbortError: Registration failed - permission denied (in incognito")
    assert "launchPersistentContext()" in told


@pytest.mark.usefixtures("shop_url")
def test_one_browser_may_go_from_test_to_test(context, user_agent, push_service):
    """It is pushed to at once in the next one: nobody has cut its connection."""
    page = context.new_page()
    for number in range(3):
        control = push_service.for_tenant(f"{push_service.tenant}-{number}")
        with control.user_agent(user_agent.id) as shared, WebServer(site).running() as shop:
            page.goto(shop.url.replace("127.0.0.1", "localhost"))
            page.evaluate("subscribe()")
            page.evaluate("fetch('/ship', {method: 'POST'})")
            [notification] = shared.wait_notifications()
            assert control.wait().id == notification.message
        subscribers.clear()
