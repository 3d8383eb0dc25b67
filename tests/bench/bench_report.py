"""What a report costs: traces a second and core, its size, and what a browser takes to show it.

python -m tests.bench.bench_report            # 5,000 labelled traces of the embedded world's shape
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from prmdata.files import write_traces
from prmdata.stages.report import Reporting, run_report
from tests.report.page import cases
from tests.report.page.browser import Browser, found

SCROLL = """
(async () => {
  const box = document.querySelector("#rows");
  const frames = [];
  let last = performance.now();
  for (let i = 0; i < 240; i++) {
    box.scrollTop += 900;
    await new Promise(requestAnimationFrame);
    frames.push(performance.now() - last);
    last = performance.now();
  }
  return frames.sort((a, b) => a - b).filter((_, i) => [119, 227, 239].includes(i)).map(Math.round);
})()
"""


def busy(browser: Browser) -> float:
    """Seconds of processor time that the page's main thread has used."""
    metrics = browser.send("Performance.getMetrics")["metrics"]
    return next(m["value"] for m in metrics if m["name"] == "TaskDuration")


def main(traces: int = 5000) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file, page = f"{folder}/l.jsonl", f"{folder}/report.html"
        write_traces(file, cases.traces(traces // 8, 8))
        run_report(Reporting([file]), page, quiet=True)  # imports, once
        start = time.process_time()
        run_report(Reporting([file]), page, quiet=True)
        seconds = time.process_time() - start
        size = Path(page).stat().st_size / 1e6
        print(f"written: {traces / seconds:,.0f} traces a second of one core, {size:.1f} MB")
        if found() is None:
            print("no Chromium: nothing is known of the browser")
            return
        browser = Browser()
        browser.send("Performance.enable", timeDomain="threadTicks")
        browser.open(Path(page).as_uri() + "#/traces")
        browser.wait("document.querySelector('.row .id') !== null")
        ready = browser.look("performance.now()")
        print(f"ready: {ready:.0f} ms on the clock, {1000 * busy(browser):.0f} ms of its thread")
        before = busy(browser)
        median, most, worst = browser.look(SCROLL)
        thread = 1000 * (busy(browser) - before) / 240
        print(
            f"frames: {median} ms median, {most} ms at 95 %, {worst} ms worst; {thread:.1f} ms of its thread"
        )
        browser.close()


if __name__ == "__main__":
    main()
