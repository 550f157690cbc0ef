import shutil

import pytest
from playwright.sync_api import sync_playwright

WORKER = "**/worker.js"  # where the service worker is


@pytest.fixture
def user_agent(push_service):
    return push_service.user_agent()


@pytest.fixture
def context(user_agent):
    launch = user_agent.launch("chromium")

    def begin_with_the_script(route):
        answer = route.fetch()
        route.fulfill(response=answer, body=launch.init_script + answer.text())

    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            "",
            executable_path=shutil.which("chromium"),
            args=launch.args,
            env=launch.environ,
            permissions=["notifications"],
        )
        context.add_init_script(launch.init_script)
        context.route(WORKER, begin_with_the_script)
        yield context
        context.close()


@pytest.mark.needs_chromium
def test_a_notification_is_clicked(context, user_agent, push_service, shop_url):
    page = context.new_page()
    page.goto(shop_url)
    page.get_by_role("button", name="Keep me informed").click()
    page.get_by_text("We will.").wait_for()
    page.get_by_role("button", name="Ship").click()

    [notification] = user_agent.wait_notifications()
    assert notification.title == "Your order is on its way"
    with context.expect_page() as opened:
        user_agent.click(notification, "Track it")
    opened.value.wait_for_url(f"{shop_url}orders?track")
    assert push_service.wait().id == notification.message
