"""read_plugin.py FOLDER - prints what TensorBoard's plugin for the torch profiler, unchanged, has of a run.

The plugin's own loader reads the files of FOLDER, and its answers to the pages are printed: fields
separated by tabs, the name of the page in front.
"""
import logging
import sys

logging.disable(logging.WARNING)

from torch_tb_profiler import io  # noqa: E402
from torch_tb_profiler.profiler import RunLoader  # noqa: E402


def line(*fields):
    print("\t".join("%g" % field if isinstance(field, float) else str(field) for field in fields))


def main(folder):
    run = RunLoader("run", folder, io.Cache()).load()
    line("workers", *sorted(run.workers))
    for (worker, _), profile in sorted(run.profiles.items()):
        line("views", worker, *[view.name for view in profile.views])
        for name, tensor, *figures in profile.kernel_table["data"]["rows"]:
            line("kernel", worker, name, *[float(figure) for figure in figures])
        for step, kernel, _, copy, _, memset, *_ in profile.overview["steps"]["rows"]:
            line("step", worker, step, float(kernel), float(copy), float(memset))


if __name__ == "__main__":
    main(sys.argv[1])
