"""One rank of PyTorch's DistributedDataParallel on gloo: prints images a second over all ranks, for Scripts/bench-distributed.

    MASTER_ADDR=127.0.0.1 MASTER_PORT=29500 RANK=0 WORLD_SIZE=1 python Scripts/ddp_peer.py resnet20 --threads 2 --steps 10
"""
import argparse
import os
import statistics
import time

import torch
import torch.distributed as dist
import torch.nn.functional as F

import train_peer


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("network")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=128, help="images of all ranks together")
    parser.add_argument("--steps", type=int, default=10)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    dist.init_process_group("gloo")
    rank, size = dist.get_rank(), dist.get_world_size()
    torch.manual_seed(0)
    model = train_peer.network(options.network, 10).to(memory_format=torch.channels_last)
    if size > 1:
        model = torch.nn.parallel.DistributedDataParallel(model)
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    own = options.batch * (rank + 1) // size - options.batch * rank // size
    images = torch.randn(own, 3, 32, 32).to(memory_format=torch.channels_last)
    labels = torch.randint(10, (own,))

    def step():
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()

    for _ in range(3):
        step()
    times = []
    for _ in range(options.steps):
        dist.barrier()
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    if rank == 0:
        print(options.batch / statistics.median(times))
    dist.destroy_process_group()


if os.environ.get("RANK") is not None:
    main()
