"""How fast a step is on this machine, and beside what a user would run instead: a stage of gpu.py."""
import collections
import json
import shlex
import statistics
import sys

LIBTORCH_ALONE = {"SEXTANT_CUDA_KERNELS": "0"}  # without sextant's kernels and graphs

# What gpu.py has: run(log, command, limit=, environment=), folders, options, functions, and the exception that ends a
# stage.
Here = collections.namedtuple("Here", "run build out options on_gpu seconds_left write_report failed")


def last_json(text):
    return json.loads([line for line in text.splitlines() if line.startswith("{")][-1])


def matrix_rate(here):
    """What the card multiplies in bfloat16, TFLOP/s: 8192 x 8192 x 8192 by PyTorch, random numbers, the median."""
    program = """
import statistics, torch
a, b = (torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16) for _ in range(2))
def seconds():
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record(); a @ b; end.record(); end.synchronize()
    return start.elapsed_time(end) / 1e3
[seconds() for _ in range(5)]
print(2 * 8192**3 / statistics.median(seconds() for _ in range(20)) / 1e12)
"""
    return float(here.run("matrix-rate.log", [sys.executable, "-c", program], limit=120).splitlines()[-1])


def busy(trace):
    """Of a CUPTI trace: share of the time between its first and last kernel in which none ran, and the kernels that
    took longest: [name, seconds, share]."""
    with open(trace) as file:
        events = [event for event in json.load(file)["traceEvents"]
                  if event.get("cat") in ("kernel", "gpu_memcpy", "gpu_memset")]
    events.sort(key=lambda event: event["ts"])
    begin = last = events[0]["ts"]
    total, by_name = 0, {}
    for event in events:
        end = event["ts"] + event["dur"]
        total += max(0, end - max(event["ts"], last))
        last = max(last, end)
        by_name[event["name"]] = by_name.get(event["name"], 0) + event["dur"]
    longest = sorted(by_name.items(), key=lambda item: -item[1])[:12]
    return 1 - total / (last - begin), [[name[:120], used / 1e6, used / total] for name, used in longest]


ADM128_FLOP = 602e9  # of the denoiser, an image

# method, precision, batch, whether libtorch alone is timed too, and the dtypes of the peer; the important ones first
CASES = [("js", "fp16", 64, False, "fp16"), ("js", "bf16", 64, True, "bf16"), ("js", "fp16", 1, False, "fp16"),
         ("js", "bf16", 1, True, ""), ("plain", "bf16", 64, False, ""), ("none", "bf16", 64, False, ""),
         ("hellinger", "bf16", 64, False, ""), ("rkl", "bf16", 64, False, ""), ("fkl", "bf16", 64, False, ""),
         ("js", "tf32", 64, False, ""), ("js", "fp32", 64, True, "fp32")]


def measure(result, here):
    """Into result["rows"]: medians of alternating runs; on a CPU at toy size the digits' model, which has no peer."""
    options = here.options
    rows = result["rows"] = []
    if not here.on_gpu and options.quick:
        program = here.build / "bench/guided_sampling"
        text = here.run("speed.log", [program, "--batch", "2", "--steps", "2", "--runs", "1"])
        rows.append({"work": "digits, js, batch 2", "image_steps_per_s": last_json(text)["image_steps_per_s"]})
        return
    rate = result["bf16_matrix_tflops"] = matrix_rate(here) if here.on_gpu else None
    cases = CASES if here.on_gpu else [(method, precision, 1, False, precision if method == "js" else "")
                                       for method in ("none", "plain", "js") for precision in ("fp32", "bf16")]
    for method, precision, batch, alone, dtype in cases:
        if here.seconds_left() < 120:
            result["note"] = "time was short: some rows are missing"
            return
        case = ["--method", method, "--batch", batch, "--runs", 20 if batch == 1 else 7, "--device", options.device]
        log = f"speed-{method}-{precision}-{batch}"
        row = {"work": f"ADM-128 + ResNet-101, {method}, {precision}, batch {batch}"}
        rows.append(row)
        loop = ["--loop", 8] if here.on_gpu else []
        profiled = here.on_gpu and (method, precision, batch) == ("js", "bf16", 64)
        trace = here.out / f"{log}.trace.json" if profiled else None
        commands = {"ours": [here.build / "bench/adm128_step", *case, "--precision", precision, *loop,
                             *(["--profile", trace] if trace else [])]}
        if here.on_gpu and alone:  # without our kernels and graphs
            commands["libtorch"] = [here.build / "bench/adm128_step", *case, "--precision", precision, *loop]
        if options.peer and dtype:
            peer = [*shlex.split(options.peer), *case, "--dtype", dtype, "--channels-last"]
            commands["eager"] = peer
            if (method, precision, batch) == ("js", "fp16", 64) or not here.on_gpu:
                commands["compiled"] = [*peer, "--compile"]
        seconds = {name: [] for name in commands}
        for turn in range(2 if "eager" in commands else 1):
            for name, command in commands.items():
                if name in ("compiled", "libtorch") and turn > 0:
                    continue  # one compiles for minutes, the other is for comparison only
                environment = LIBTORCH_ALONE if name == "libtorch" else None
                try:
                    answer = last_json(here.run(f"{log}-{name}.log", command, limit=600, environment=environment))
                except here.failed as problem:
                    row[f"{name}_failed"] = str(problem)
                    continue
                seconds[name].append(answer["seconds_per_step"])
                if name == "ours" and here.on_gpu:
                    row["loop_s"] = answer["seconds_per_loop_step"]
                    denoiser = answer["denoiser_share"] * answer["seconds_per_step"]
                    row["denoiser_s"] = denoiser
                    if batch > 1 and precision in ("bf16", "fp16"):
                        row["share_of_matrix_rate"] = ADM128_FLOP * batch / denoiser / 1e12 / rate
        row.update({f"{name}_s": statistics.median(values) for name, values in seconds.items() if values})
        row.update({f"times_{name}": row[f"{name}_s"] / row["ours_s"] for name in seconds
                    if name != "ours" and f"{name}_s" in row and "ours_s" in row})
        if trace:
            row["idle_share"], result["longest_kernels"] = busy(trace)
            trace.unlink()
        here.write_report()
    if not options.peer:
        result["note"] = "without --peer there is nothing to compare with"
