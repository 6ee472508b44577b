"""The demo in a real browser: headless Chromium from Debian."""

from pathlib import Path

import pytest

from conftest import missing


@pytest.fixture
def browser(tmp_path):
    """Headless Chromium, or a word why not."""
    try:
        from selenium import webdriver
        from selenium.webdriver.chrome.options import Options
        from selenium.webdriver.chrome.service import Service
    except ImportError:
        missing("python3-selenium")
    for program in ("/usr/bin/chromium", "/usr/bin/chromedriver"):
        if not Path(program).exists():
            missing(program)
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu",
                 "--disable-dev-shm-usage", "--disable-extensions",
                 "--no-first-run", f"--user-data-dir={tmp_path}/profile"):
        options.add_argument(word)
    driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"),
                              options=options)
    driver.implicitly_wait(10)
    yield driver
    driver.quit()


@pytest.mark.slow(120)
def test_a_browser_logs_in_uploads_and_sees_the_style(site, browser,
                                                      tmp_path):
    """log in, fill the form, upload, see the uploaded file and the style"""
    from selenium.webdriver.common.by import By
    home = f"http://127.0.0.1:{site.port}"
    upload = tmp_path / "note.txt"
    upload.write_text("written by a browser")

    def fill(**fields):
        for name, value in fields.items():
            browser.find_element(By.NAME, name).send_keys(value)
        browser.find_element(By.CSS_SELECTOR, "main button").click()
    browser.get(home + "/")
    browser.find_element(By.LINK_TEXT, "Log in").click()
    fill(username="admin", password="etcl")
    browser.find_element(By.LINK_TEXT, "New entry").click()
    fill(title="From a browser", text="Hello", attachment=str(upload))
    message = browser.find_element(By.CLASS_NAME, "message")
    assert "From a browser" in message.text
    brand = browser.find_element(By.CSS_SELECTOR, ".brand span")
    assert "178, 58, 34" in brand.value_of_css_property("color")
    browser.find_element(By.CLASS_NAME, "file").click()
    assert "written by a browser" in browser.page_source
    site.allow_log("Not Found: /favicon.ico")
    severe = [entry for entry in browser.get_log("browser")
              if entry["level"] == "SEVERE"
              and "favicon.ico" not in entry["message"]]
    assert severe == []
