"""overhead_common.py: what the parts of overhead.py share: places, the engine, the table's lines."""
import os
import random
import shlex
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
OUT = Path(os.environ.get("OUT", "/tmp/vprof-overhead"))
BUILD = Path(os.environ.get("BUILD", "build")).resolve()
LIBRARY = BUILD / "libvprof.so"
TARGET_PERCENT = 0.5
BATCH, INPUT, OUTPUT = 8, 32, 128
TURN = int(os.environ.get("OVERHEAD_TURN", 10))       # decode steps of one engine's turn, of whole processes
DROPPED = int(os.environ.get("OVERHEAD_DROPPED", 2))  # the first of them, in which caches and clocks warm up
READY = "vprof-overhead-ready"
BEGIN = time.monotonic()


def note(text):
    print(f"# [{time.monotonic() - BEGIN:5.0f} s] {text}", flush=True)


def line(name, unit, n, off, on, middle, low, high, target):
    percent, lowest, highest = (100 * x / off for x in (middle, low, high))
    verdict = ("-" if target is None else "ok" if highest <= target else "short" if lowest > target else
               "unclear: the interval holds the target")
    return (f"{name}\t{n}\t{off:.2f}\t{on:.2f}\t{middle:+.3f}\t{low:+.3f}\t{high:+.3f}\t{unit}\t"
            f"{percent:+.3f}\t{lowest:+.3f}..{highest:+.3f}\t{target if target is not None else '-'}\t{verdict}")


def environment(preload, log, **more):
    env = dict(os.environ, **{k: str(v) for k, v in more.items()})
    env.pop("LD_PRELOAD", None)
    if preload:
        env.update(LD_PRELOAD=str(LIBRARY), VPROF_OUT=str(OUT / "rings" / log.split(".")[0]))
    return env


def engine_of_this_process():
    """Returns the engine and a function that makes a batch of so many tokens and gives its seconds."""
    from vllm import LLM, SamplingParams
    from vllm.engine.arg_utils import EngineArgs
    from vllm.utils.argparse_utils import FlexibleArgumentParser
    parser = EngineArgs.add_cli_args(FlexibleArgumentParser())
    parser.set_defaults(enable_prefix_caching=False)
    flags = shlex.split(os.environ.get("VLLM_FLAGS", "")) + ["--model", os.environ["MODEL"], "--skip-tokenizer-init"]
    llm = LLM.from_engine_args(EngineArgs.from_cli_args(parser.parse_args(flags)))
    draw = random.Random(1)
    prompts = [{"prompt_token_ids": [draw.randrange(3, 8000) for _ in range(INPUT)]} for _ in range(BATCH)]

    def generate(tokens):
        begin = time.perf_counter()
        llm.generate(prompts, SamplingParams(temperature=1.0, ignore_eos=True, max_tokens=tokens, detokenize=False),
                     use_tqdm=False)
        return time.perf_counter() - begin
    return llm, generate
