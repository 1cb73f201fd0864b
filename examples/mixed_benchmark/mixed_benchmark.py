#!/usr/bin/env python3
"""Mixed load for a server that speaks OpenAI's /v1/completions, such as vLLM.

60 % chat (conversations that grow, so each turn repeats the last one's prompt), 30 % questions about
one of a few long documents (retrieval: long prefixes that requests share), 10 % code completion (middling
prompts, short answers). Prompts are token ids and mean nothing; --text sends words. Requests arrive at random
moments at --rate a second, at most --concurrency at once, for --seconds; each is cut to the model's
context, which /v1/models tells. Answers are streamed. At the end: percentiles of the time to the first
token (TTFT), of the time for each token after it (TPOT), and throughput; -o writes all of it
as JSON, with a row for each request.

    vllm serve MODEL &
    mixed_benchmark.py --rate 8 --concurrency 64 -o mixed.json

Exit status: 0 when every request was answered, 1 when one was not, 2 after wrong usage.
Needs nothing but Python's standard library.
"""
import argparse
import http.client
import json
import queue
import random
import signal
import statistics
import sys
import threading
import time
import urllib.parse

KINDS = ("chat", "rag", "code")
DOCUMENTS = 8        # that questions share
DOCUMENT_TOKENS = 3000
CONVERSATIONS = 16   # that go on at once


# ---- what is asked ----

class Prompts:
    """Makes requests: (kind, prompt, output tokens). One thread calls it."""

    def __init__(self, options, context):
        low, high = options.ids
        self.random = random.Random(options.draw)
        self.token = lambda: self.random.randrange(low, high)
        self.context = context
        self.mix = options.mix
        self.documents = [self.tokens(DOCUMENT_TOKENS) for _ in range(DOCUMENTS)]
        self.conversations = [[] for _ in range(CONVERSATIONS)]

    def tokens(self, count):
        return [self.token() for _ in range(count)]

    def about(self, median, low, high):
        """A length around the median, as lengths are: many small, few large."""
        return int(min(max(self.random.lognormvariate(0, 0.6) * median, low), high))

    def output(self, median, low, high):
        return max(1, min(self.about(median, low, high), self.context // 4))

    def chat(self):
        answer = self.output(160, 16, 512)
        room = self.context - answer - 1
        talk = self.random.choice(self.conversations)
        turn = self.tokens(min(self.about(60, 8, 400), room))
        if len(talk) + len(turn) > min(room, self.context // 2):
            talk.clear()
        talk += turn
        prompt = list(talk)
        talk += self.tokens(answer)  # as long as the server's answer, which is not waited for
        return prompt, answer

    def rag(self):
        answer = self.output(120, 16, 256)
        room = self.context - answer - 1
        question = self.tokens(min(self.about(40, 8, 120), max(1, room // 4)))
        document = self.documents[min(int(self.random.expovariate(0.5)), DOCUMENTS - 1)]
        return document[:room - len(question)] + question, answer

    def code(self):
        answer = self.output(32, 4, 96)
        return self.tokens(min(self.about(500, 50, 2000), self.context - answer - 1)), answer

    def next(self):
        kind = self.random.choices(KINDS, self.mix)[0]
        prompt, answer = getattr(self, kind)()
        return kind, prompt, answer


# ---- how it is asked ----

class Server:
    """One connection, which is kept."""

    def __init__(self, url, limit):
        parts = urllib.parse.urlsplit(url)
        self.make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self.place, self.prefix, self.limit = parts.netloc, parts.path.rstrip("/"), limit
        self.connection = None

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def ask(self, method, path, body=None):
        """The answer, its status not yet looked at. A connection that went stale is made anew."""
        data = None if body is None else json.dumps(body).encode()
        for fresh in (False, True):
            fresh |= self.connection is None
            if self.connection is None:
                self.connection = self.make(self.place, timeout=self.limit)
            try:
                self.connection.request(method, self.prefix + path, data, {"Content-Type": "application/json"})
                return self.connection.getresponse()
            except (http.client.RemoteDisconnected, ConnectionError):
                self.close()
                if fresh:
                    raise

    def model(self):
        answer = self.ask("GET", "/v1/models")
        text = answer.read()
        if answer.status != 200:
            raise OSError(f"/v1/models: {answer.status} {text[:200].decode('utf-8', 'replace')}")
        models = json.loads(text).get("data") or [{}]
        return models[0]

    def stream(self, body, row):
        """Asks for a completion and notes in `row` when each piece of it came."""
        begin = time.monotonic()
        row["start_ns"] = time.time_ns()
        answer = self.ask("POST", "/v1/completions", body)
        if answer.status != 200:
            raise OSError(f"{answer.status} {answer.read()[:200].decode('utf-8', 'replace')}")
        times, usage, done = [], None, False
        # Pieces are not parsed as they come: that would add to the times between them.
        for line in answer:
            if not line.startswith(b"data:"):
                continue
            if line[5:].strip() == b"[DONE]":
                done = True
            elif b'"completion_tokens"' in line:
                usage = json.loads(line[5:])
                if usage.get("choices"):
                    times.append(time.monotonic())
            elif b'"error"' in line[:40]:
                raise OSError(line[5:300].decode("utf-8", "replace").strip())
            else:
                times.append(time.monotonic())
        if not times or not done:
            raise OSError("the answer broke off" if times else "an empty answer")
        told = (usage or {}).get("usage") or {}
        tokens = told.get("completion_tokens") or len(times)
        row.update(ok=True, tokens=tokens, prompt_tokens=told.get("prompt_tokens") or row["prompt_tokens"],
                   ttft_ms=(times[0] - begin) * 1e3, e2e_ms=(times[-1] - begin) * 1e3,
                   tpot_ms=(times[-1] - times[0]) * 1e3 / (tokens - 1) if tokens > 1 else None)


def work(options, model, jobs, rows):
    """A thread: one request after the other, until None comes."""
    server = Server(options.url, options.limit)
    while (job := jobs.get()) is not None:
        due, kind, prompt, answer = job
        row = {"kind": kind, "ok": False, "prompt_tokens": len(prompt), "late_ms": (time.monotonic() - due) * 1e3}
        try:
            server.stream({"model": model, "prompt": as_words(prompt) if options.text else prompt,
                           "max_tokens": answer, "temperature": 0, "ignore_eos": True, "stream": True,
                           "stream_options": {"include_usage": True}}, row)
        except (OSError, http.client.HTTPException, ValueError) as error:
            row["error"] = str(error) or type(error).__name__
            server.close()
        rows.append(row)
    server.close()


def as_words(prompt):
    """Text of at most about as many tokens: short common words, of which few make two."""
    words = "the of and to in is you that it he was for on are as with his they at be this have from or one".split()
    return " ".join(words[token % len(words)] for token in prompt)


# ---- what came of it ----

def spread(values):
    """Mean and percentiles, each a value that occurred."""
    values = sorted(v for v in values if v is not None)
    if not values:
        return None
    at = {f"p{p}": values[min(len(values) - 1, len(values) * p // 100)] for p in (50, 90, 95, 99)}
    return {"mean": statistics.fmean(values), **at, "max": values[-1]}


def summary(rows, seconds):
    good = [row for row in rows if row["ok"]]
    told = {"requests": len(rows), "failed": len(rows) - len(good),
            "prompt_tokens": sum(row["prompt_tokens"] for row in good),
            "output_tokens": sum(row["tokens"] for row in good)}
    told["requests_per_s"] = len(good) / seconds
    told["output_tokens_per_s"] = told["output_tokens"] / seconds
    for name in ("ttft_ms", "tpot_ms", "e2e_ms"):
        told[name] = spread(row.get(name) for row in good)
    return told


def report(result, out):
    columns = ("requests", "failed", "tokens/s", "TTFT p50", "p90", "p99", "TPOT p50", "p90", "p99")
    lines = [("",) + columns]
    for kind in KINDS + ("all",):
        told = result["all"] if kind == "all" else result["kinds"][kind]
        cells = [kind, told["requests"], told["failed"], f"{told['output_tokens_per_s']:.1f}"]
        for name in ("ttft_ms", "tpot_ms"):
            cells += [f"{told[name][p]:.2f}" if told[name] else "-" for p in ("p50", "p90", "p99")]
        lines.append([str(cell) for cell in cells])
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths)), file=out)
    print(f"{result['seconds']:.1f} s; TTFT and TPOT in ms; {result['waited']} requests had to wait for a free place,"
          f" {result['unsent']} had none in time", file=out)
    for error, count in result["errors"].items():
        print(f"{count} failed: {error}", file=out)


# ---- the run ----

def send(options, prompts, jobs, stopped):
    """Hands out requests at their random moments until the time is over. True: as many as were wanted."""
    begin = due = time.monotonic()
    count = 0
    while not stopped.is_set() and (not options.requests or count < options.requests):
        # Without a rate: as soon as there is a place.
        due = due + prompts.random.expovariate(options.rate) if options.rate else time.monotonic()
        if due - begin >= options.seconds or time.monotonic() - begin >= options.seconds:
            break
        job = prompts.next()
        if stopped.wait(max(0, due - time.monotonic())):
            break
        while not stopped.is_set() and time.monotonic() - begin < options.seconds:
            try:
                jobs.put((due,) + job, timeout=0.2)
                count += 1
                break
            except queue.Full:
                continue
    return options.requests and count == options.requests


def drop(jobs):
    """Requests that nobody has taken yet; their number."""
    count = 0
    try:
        while True:
            jobs.get_nowait()
            count += 1
    except queue.Empty:
        return count


def run(options, model, context):
    # With a rate requests wait in line, as users do; without one the next is made when there is a place.
    jobs = queue.Queue(0 if options.rate else 1)
    rows, stopped = [], threading.Event()

    def stop(*_):
        stopped.set()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGINT, stop)
    threads = [threading.Thread(target=work, args=(options, model, jobs, rows), daemon=True)
               for _ in range(options.concurrency)]
    for thread in threads:
        thread.start()
    begin = time.monotonic()
    unsent = 0 if send(options, Prompts(options, context), jobs, stopped) else drop(jobs)
    for _ in threads:
        jobs.put(None)
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - begin
    errors = {}
    for row in rows:
        if "error" in row:
            errors[row["error"]] = errors.get(row["error"], 0) + 1
    return {"model": model, "context": context, "seconds": seconds, "all": summary(rows, seconds),
            "kinds": {kind: summary([row for row in rows if row["kind"] == kind], seconds) for kind in KINDS},
            "waited": sum(row["late_ms"] > 10 for row in rows), "unsent": unsent, "errors": errors, "requests": rows}


def parse(words):
    def numbers(count, separator):
        def take(text):
            values = [int(word) for word in text.split(separator)]
            if len(values) != count or min(values) < 0 or not sum(values):
                raise ValueError
            return values
        take.__name__ = f"{count} numbers"
        return take
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0], epilog=__doc__.split("\n\n")[1],
                                formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    p.add_argument("--url", default="http://127.0.0.1:8000", help="where the server is")
    p.add_argument("--seconds", type=float, default=120, help="how long requests are sent; those under way end then")
    p.add_argument("--requests", type=int, default=0, help="send so many at most; 0: as time allows")
    p.add_argument("--rate", type=float, default=4, help="requests a second; 0: as many as find a place")
    p.add_argument("--concurrency", type=int, default=32, help="requests at once, at most")
    p.add_argument("--mix", type=numbers(3, ","), default=[60, 30, 10], metavar="CHAT,RAG,CODE", help="shares")
    p.add_argument("--draw", type=int, default=0, help="another number, other requests")
    p.add_argument("--context", type=int, default=0, help="tokens of prompt and answer; 0: what the server says, else 2048")
    p.add_argument("--ids", type=numbers(2, ":"), default=[3, 8000], metavar="LOW:HIGH", help="token ids to use")
    p.add_argument("--text", action="store_true", help="send words instead of token ids")
    p.add_argument("--limit", type=float, default=300, help="seconds without a word from the server")
    p.add_argument("-o", "--output", help="write JSON there; - is standard output")
    options = p.parse_args(words)
    if options.concurrency < 1 or options.rate < 0 or options.seconds <= 0 or options.ids[0] >= options.ids[1]:
        p.error("concurrency, seconds and ids must leave something to do")
    return options


def main(words):
    options = parse(words)
    try:
        told = Server(options.url, options.limit).model()
    except (OSError, http.client.HTTPException, ValueError) as error:
        print(f"{options.url}: {error}", file=sys.stderr)
        return 1
    context = options.context or told.get("max_model_len") or 2048
    if context < 8:
        print(f"a context of {context} tokens leaves no room for a question", file=sys.stderr)
        return 1
    result = {"options": vars(options), **run(options, told.get("id", ""), context)}
    if options.output:
        with (sys.stdout if options.output == "-" else open(options.output, "w")) as file:
            json.dump(result, file)
            file.write("\n")
    report(result, sys.stderr if options.output == "-" else sys.stdout)
    return 0 if result["all"]["requests"] and not result["all"]["failed"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
