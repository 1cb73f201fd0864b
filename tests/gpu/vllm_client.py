#!/usr/bin/env python3
"""vllm_client.py URL PLAN...: talks to a vLLM server; runs without the preload.

    wait:SECONDS          until /health answers 200
    load:N:TOKENS         N requests at once, TOKENS output tokens each, unlike prompts of 32 tokens
    post:PATH             POST without a body
    sleep:SECONDS

One JSON line a step on stdout: what, when it began and ended (ns since 1970), and of a load
how many requests succeeded and how many tokens came back. Exit code 1 when a step failed.
"""
import json
import random
import sys
import threading
import time
import urllib.request


def call(url, body=None, limit=300):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=limit) as answer:
        return answer.status, answer.read()


def wait(base, seconds):
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        try:
            if call(base + "/health", limit=5)[0] == 200:
                return {"ok": True}
        except OSError:
            pass
        time.sleep(0.25)
    return {"ok": False}


def load(base, n, tokens):
    n, tokens = int(n), int(tokens)
    model = json.loads(call(base + "/v1/models")[1])["data"][0]["id"]
    got, errors = [], []

    def one(number):
        prompt = [random.Random(number).randrange(3, 8000) for _ in range(32)]
        try:
            answer = json.loads(call(base + "/v1/completions", {
                "model": model, "prompt": prompt, "max_tokens": tokens, "ignore_eos": True, "temperature": 0})[1])
            got.append(answer["usage"]["completion_tokens"])
        except Exception as e:
            errors.append(f"{type(e).__name__}: {e}")
    threads = [threading.Thread(target=one, args=(time.time_ns() + i,)) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return {"ok": not errors, "requests": n, "succeeded": len(got), "tokens": sum(got), "errors": errors[:2]}


def post(base, path):
    return {"ok": call(base + "/" + path.lstrip("/"), {})[0] == 200}


def sleep(base, seconds):
    time.sleep(float(seconds))
    return {"ok": True}


def main(base, steps):
    good = True
    for step in steps:
        verb, *args = step.split(":")
        begin = time.time_ns()
        try:
            told = {"wait": wait, "load": load, "post": post, "sleep": sleep}[verb](base, *args)
        except OSError as e:
            told = {"ok": False, "errors": [f"{type(e).__name__}: {e}"]}
        good &= told["ok"]
        print(json.dumps({"step": step, "begin_ns": begin, "end_ns": time.time_ns(), **told}), flush=True)
        if verb == "wait" and not told["ok"]:
            break
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1].rstrip("/"), sys.argv[2:]))
