#!/usr/bin/env python3
"""Two Ray actors that launch kernels, on a cluster of their own or the one that RAY_ADDRESS names.

Ray's workers are children of its daemon, so `vprof run` in front of this program does not reach those of a
cluster that runs already. The environment that it asks for does:

    eval "$(vprof env --ray -o rings)"
    python two_actors.py
    vprof top rings

The program itself knows nothing of vprof.
"""
import os
import sys

import ray

HERE = os.path.dirname(os.path.abspath(__file__))


@ray.remote(num_cpus=1)
class Worker:
    def __init__(self, name):
        sys.path.insert(0, os.path.join(HERE, ".."))
        from cuda_driver import Kernel
        self.kernel = Kernel(name)

    def work(self, launches):
        self.kernel.launch(launches)
        self.kernel.wait()
        return os.getpid()


if __name__ == "__main__":
    if os.environ.get("RAY_ADDRESS"):
        ray.init()
    else:
        ray.init(num_cpus=2, include_dashboard=False)
    workers = [Worker.remote(f"step_of_worker_{i}") for i in range(2)]
    print(*ray.get([worker.work.remote(100 + i) for i, worker in enumerate(workers)]))
