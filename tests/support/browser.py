"""A real Chromium without a screen, by Selenium: sizes, colours, keys, and what the page asked for and complained of."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium.webdriver import ActionChains, Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

INSTALL = "make services"
#: No GPU, no screen, and nothing that Chromium asks the network for by itself.
SWITCHES = (
    "--headless=new",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-sync",
    "--hide-scrollbars",
    "--no-first-run",
)


class BrowserMissing(RuntimeError):
    """There is no Chromium here; the message says which command changes that."""


class Browser:
    """One window; ``open`` starts each page with an empty record of requests and complaints."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    def open(self, url: str, *, width: int = 1280, height: int = 900, scheme: str = "light") -> None:
        """Load a page at a size in CSS pixels and a colour scheme."""
        self._command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        self._command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        self.driver.get_log("performance")  # type: ignore[no-untyped-call]
        self.driver.get(url)

    def complaints(self) -> list[str]:
        """What the page wrote to its console since it was opened: errors, refusals of its security policy."""
        return [entry["message"] for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]

    def requests(self) -> list[str]:
        """Every URL that was asked for since the page was opened."""
        entries = self.driver.get_log("performance")  # type: ignore[no-untyped-call]
        messages = [json.loads(entry["message"])["message"] for entry in entries]
        return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]

    def ask(self, script: str, *arguments: object) -> Any:
        """What a script of ours returns in the page."""
        return self.driver.execute_script(script, *arguments)

    def press(self, key: str, times: int = 1) -> None:
        """Press a key, where the focus is."""
        for _ in range(times):
            ActionChains(self.driver).send_keys(getattr(Keys, key)).perform()

    def wait_for(self, script: str) -> None:
        """Until a script returns something true."""
        WebDriverWait(self.driver, 10).until(lambda _: self.ask(script))

    def picture(self, path: Path) -> None:
        """Save what is seen as PNG."""
        self.driver.save_screenshot(str(path))

    def _command(self, name: str, **parameters: object) -> None:
        self.driver.execute_cdp_cmd(name, parameters)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A browser of our own for as long as the block runs.

    :raises BrowserMissing: there is no Chromium or no driver.
    """
    options = ChromeOptions()
    options.binary_location = _program("chromium")
    for switch in (*SWITCHES, *(["--no-sandbox"] if os.geteuid() == 0 else [])):  # root may not sandbox
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options=options, service=Service(_program("chromedriver")))
    try:
        yield Browser(driver)
    finally:
        driver.quit()


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise BrowserMissing(f"no {name} to look at the console with: run `{INSTALL}`")
    return found
