"""read_hta.py FOLDER - prints what HolisticTraceAnalysis, unchanged, finds in the traces of FOLDER.

Each line begins with the name of the analysis; fields are separated by tabs.
"""
import logging
import sys
import warnings

logging.disable(logging.WARNING)
warnings.simplefilter("ignore")

from hta.trace_analysis import TraceAnalysis  # noqa: E402


def line(*fields):
    print("\t".join("%g" % field if isinstance(field, float) else str(field) for field in fields))


def rows(name, frame, *columns):
    for _, row in frame.iterrows():
        line(name, *[row[column] for column in columns])


def main(folder):
    analysis = TraceAnalysis(trace_dir=folder)
    line("ranks", *sorted(analysis.t.traces))
    types, kernels = analysis.get_gpu_kernel_breakdown(visualize=False)
    rows("type", types.sort_values("kernel_type"), "kernel_type", "sum")
    rows("kernel", kernels.sort_values(["rank", "name"]), "rank", "name", "sum (us)", "max (us)", "min (us)", "kernel_type")
    rows("temporal", analysis.get_temporal_breakdown(visualize=False), "rank", "idle_time(us)", "compute_time(us)",
         "non_compute_time(us)", "kernel_time(us)")
    rows("idle", analysis.get_idle_time_breakdown(ranks=[0, 1], visualize=False)[0], "rank", "stream", "idle_category",
         "idle_time")
    rows("overlap", analysis.get_comm_comp_overlap(visualize=False), "rank", "comp_comm_overlap_pctg")
    queue = analysis.get_queue_length_summary(ranks=[0, 1])["queue_length"].reset_index()
    rows("queue", queue, "rank", "stream", "count", "max")
    launches = analysis.get_cuda_kernel_launch_stats(ranks=[0], visualize=False)[0]
    rows("launch", launches.sort_values("correlation").head(6), "correlation", "cpu_duration", "gpu_duration", "launch_delay")
    pace = analysis.get_memory_bw_summary(ranks=[0])["memory_bw_gbps"].reset_index()
    rows("pace", pace, "rank", "name", "count", "max")
    graph, found = analysis.critical_path_analysis(rank=0, annotation="ProfilerStep", instance_id=1)
    line("critical", found, graph.number_of_nodes() > 0)


if __name__ == "__main__":
    main(sys.argv[1])
