import os

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait


@pytest.fixture
def user_agent(push_service):
    return push_service.user_agent()


@pytest.fixture
def browser(user_agent):
    launch = user_agent.launch("chromium")
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    options.add_experimental_option("prefs", launch.preferences)
    root = ["--no-sandbox"] if os.getuid() == 0 else []
    for argument in (*launch.args, "--headless=new", *root):
        options.add_argument(argument)
    service = Service("/usr/bin/chromedriver", env=launch.environ)
    with webdriver.Chrome(options, service) as browser:
        script = {"source": launch.init_script}
        browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", script)
        yield browser


@pytest.mark.needs_chromedriver
def test_a_notification_is_clicked(browser, user_agent, push_service, shop_url):
    browser.get(shop_url)
    browser.find_element(By.XPATH, "//button[.='Keep me informed']").click()
    told = browser.find_element(By.TAG_NAME, "output")
    WebDriverWait(browser, 30).until(lambda _: told.text == "We will.")
    browser.find_element(By.XPATH, "//button[.='Ship']").click()

    [notification] = user_agent.wait_notifications()
    assert notification.title == "Your order is on its way"
    user_agent.click(notification, "Track it")
    WebDriverWait(browser, 10).until(lambda _: len(browser.window_handles) == 2)
    browser.switch_to.window(browser.window_handles[1])
    WebDriverWait(browser, 10).until(lambda _: browser.current_url == f"{shop_url}orders?track")
    assert push_service.wait().id == notification.message
