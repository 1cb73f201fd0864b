#!/usr/bin/env python3
"""examples/mixed_benchmark against a server that answers in the same form and knows what it was asked."""
import collections
import http.server
import json
import signal
import subprocess
import sys
import threading
import time

PROGRAM = "examples/mixed_benchmark/mixed_benchmark.py"
CONTEXT, FIRST, EACH = 600, 0.05, 0.004  # the server's: tokens, seconds before the first and between two
tests = failed = 0


def ok(name, good, told=""):
    global tests, failed
    tests += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {tests} - {name}", flush=True)
    if not good:
        print(f"# {str(told)[:600]}", flush=True)


class Stub(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked = []
    now = most = 0
    fail_every = 0
    lock = threading.Lock()

    def log_message(self, *_):
        pass

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(200, json.dumps({"data": [{"id": "stub", "max_model_len": CONTEXT}]}).encode())

    def piece(self, text):
        data = text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with Stub.lock:
            Stub.asked.append(body)
            number = len(Stub.asked)
            Stub.now += 1
            Stub.most = max(Stub.most, Stub.now)
        try:
            self.complete(body, number)
        finally:
            with Stub.lock:
                Stub.now -= 1

    def complete(self, body, number):
        if Stub.fail_every and number % Stub.fail_every == 0:
            return self.answer(503, b'{"error": "busy"}')
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        time.sleep(FIRST)
        for i in range(body["max_tokens"]):
            if i:
                time.sleep(EACH)
            self.piece('data: {"choices": [{"text": "x"}], "usage": null}\n\n')
        length = len(body["prompt"]) if isinstance(body["prompt"], list) else len(body["prompt"].split())
        self.piece('data: ' + json.dumps({"choices": [], "usage": {
            "prompt_tokens": length, "completion_tokens": body["max_tokens"]}}) + "\n\n")
        self.piece("data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


server = Server(("127.0.0.1", 0), Stub)
threading.Thread(target=server.serve_forever, daemon=True).start()
URL = f"http://127.0.0.1:{server.server_port}"


def bench(*words, url=URL, interrupt=None):
    with Stub.lock:
        Stub.asked, Stub.most = [], 0
    p = subprocess.Popen([sys.executable, PROGRAM, "--url", url, "-o", "-", *words], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    if interrupt:
        time.sleep(interrupt)
        p.send_signal(signal.SIGINT)
    out, err = p.communicate(timeout=60)
    return p.returncode, json.loads(out) if out else None, err


# So many requests, in the shares asked for, within the context.
code, told, table = bench("--requests", "200", "--rate", "0", "--concurrency", "24", "--seconds", "50")
ok("all requests were answered", code == 0 and told["all"]["requests"] == 200 == len(Stub.asked), (code, table))
shares = {kind: told["kinds"][kind]["requests"] for kind in ("chat", "rag", "code")}
ok("six, three and one in ten", 100 <= shares["chat"] <= 140 and 42 <= shares["rag"] <= 78 and 8 <= shares["code"] <= 34, shares)
ok("each fits into the context", all(0 < len(a["prompt"]) + a["max_tokens"] <= CONTEXT for a in Stub.asked))
ok("some fill it", any(len(a["prompt"]) + a["max_tokens"] > CONTEXT * 0.9 for a in Stub.asked))
prefixes = collections.Counter(tuple(a["prompt"][:300]) for a in Stub.asked if len(a["prompt"]) > 400)
ok("questions share long prefixes", prefixes.most_common(1)[0][1] >= 8, prefixes.values())
ok("no more at once than allowed", Stub.most <= 24 and Stub.most > 12, Stub.most)
ok("tokens are counted as the server does", told["all"]["output_tokens"] == sum(a["max_tokens"] for a in Stub.asked))
ttft, tpot = told["all"]["ttft_ms"], told["all"]["tpot_ms"]
ok("time to the first token", FIRST * 1e3 <= ttft["p50"] < 10 * FIRST * 1e3, ttft)
ok("time for each token", EACH * 1e3 <= tpot["p50"] < 10 * EACH * 1e3, tpot)
ok("percentiles rise", ttft["p50"] <= ttft["p90"] <= ttft["p99"] <= ttft["max"], ttft)
ok("throughput", abs(told["all"]["output_tokens_per_s"] * told["seconds"] - told["all"]["output_tokens"]) < 1)
ok("a row for each request", len(told["requests"]) == 200 and all(r["start_ns"] > 1.6e18 for r in told["requests"]))
ok("a table for people", "TTFT p50" in table and "chat" in table and "all" in table, table)

same = [json.dumps(a["prompt"]) for a in Stub.asked]
bench("--requests", "200", "--rate", "0", "--concurrency", "24", "--seconds", "50")
ok("the same draw, the same requests", sorted(same) == sorted(json.dumps(a["prompt"]) for a in Stub.asked))

# A rate, for a time.
code, told, _ = bench("--seconds", "3", "--rate", "20", "--concurrency", "64", "--mix", "0,0,1")
ok("a rate is kept", code == 0 and 35 <= told["all"]["requests"] <= 90, told["all"])
ok("until the time is over", 2.5 <= told["seconds"] <= 6, told["seconds"])
ok("one kind alone", told["kinds"]["chat"]["requests"] == 0 and told["kinds"]["chat"]["ttft_ms"] is None)
code, told, _ = bench("--seconds", "1.5", "--rate", "200", "--concurrency", "2")
ok("what finds no place in time is not sent", told["unsent"] > 100 and len(Stub.asked) == told["all"]["requests"], told["unsent"])
code, told, _ = bench("--seconds", "30", "--rate", "20", "--concurrency", "8", "--mix", "0,0,1", interrupt=1.5)
ok("Ctrl-C ends the load, not the report", code == 0 and told["seconds"] < 10 and told["all"]["requests"] > 3, (code, told))

# Words in place of token ids; a small context; failures.
code, told, _ = bench("--requests", "10", "--rate", "0", "--text", "--context", "64")
ok("words", code == 0 and all(isinstance(a["prompt"], str) for a in Stub.asked))
ok("a context of our own", all(len(a["prompt"].split()) + a["max_tokens"] <= 64 for a in Stub.asked))
code, told, _ = bench("--requests", "40", "--rate", "0", "--context", "8")
ok("the smallest context", code == 0 and all(len(a["prompt"]) + a["max_tokens"] <= 8 for a in Stub.asked))
Stub.fail_every = 4
code, told, table = bench("--requests", "20", "--rate", "0", "--context", "64")
Stub.fail_every = 0
ok("failures are counted, and the status tells", code == 1 and told["all"]["failed"] == 5 and "503" in str(told["errors"]), told["errors"])
code, _, err = bench(url="http://127.0.0.1:9")
ok("no server: a message", code == 1 and "127.0.0.1:9" in err and "Traceback" not in err, err)
code, _, err = bench("--mix", "1,2")
ok("wrong usage", code == 2 and "Traceback" not in err, err)
print(f"1..{tests}")
sys.exit(failed > 0)
