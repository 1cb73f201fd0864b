"""NCCL: collectives and a pair of send and receive between processes, one a GPU."""
import os

TORCH = True


def make():
    import torch
    import torch.distributed as dist
    rank, ranks = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    device = torch.device("cuda", rank)
    torch.cuda.set_device(device)
    dist.init_process_group("nccl", rank=rank, world_size=ranks, device_id=device)
    x = {n: torch.ones(n, device=device) for n in (32, 4096, 1 << 20)}
    many = torch.empty(ranks * 4096, device=device)
    got = torch.empty(4096, device=device)

    def work():
        for y in x.values():
            dist.all_reduce(y)
            dist.broadcast(y, 0)
            y.mul_(0.5)
        dist.all_gather_into_tensor(many, x[4096])
        dist.reduce_scatter_tensor(got, many)
        peer = rank ^ 1
        if peer < ranks:
            pair = [dist.P2POp(dist.isend, x[4096], peer), dist.P2POp(dist.irecv, got, peer)]
            for request in dist.batch_isend_irecv(pair):
                request.wait()
    return work, torch.cuda.synchronize


def finish():
    import torch.distributed as dist
    dist.destroy_process_group()
