#!/usr/bin/env python3
"""Builds, tests and measures sextant on the machine that it lies on, and writes report.md and report.json as it goes.

    ./gpu.sh                          everything, on the GPU, in less than 25 minutes
    ./gpu.sh --device cpu --quick     the same stages at toy size: proves them without a GPU
    ./gpu.sh --only build,golden      some stages; --skip leaves some out
    ./gpu.sh --data CIFAR10 --peer 'python3 adm128.py --ref EluCD/DDPM'

Needs g++, CMake, ninja, PyTorch and for a GPU nvcc; no network. Started again it goes on after the stages that have
passed. --peer is a command that takes --method, --dtype, --batch, --runs, --device, --channels-last and --compile and
prints a line of JSON with seconds_per_step.
"""
import argparse
import importlib.util
import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import time

import gpu_processes
import gpu_speed

SOURCE = pathlib.Path(__file__).resolve().parent.parent
# Tests of a CPU's bits and of files, the same everywhere.
ELSEWHERE = "*BatchOfImages.*:Namings.*:Scores.StayFinite*:Described.PickleOf*"
GOLDEN = ["guidance", "diffusion", "classifiers", "networks", "models", "samplers"]

# Each is a function below.
STAGES = {
    "build": "the library, the program, the tests that run here and the benchmarks",
    "golden": "tests against reference values, on the device",
    "kernels": "tests of sextant's own kernels; on a GPU the reference values once more, through them",
    "speed": "time of a step of guided sampling, beside --peer's",
    "mnist": "draws the demo's digits and scores them",
    "processes": "two processes that train together, on two cards or a CPU",
    "cifar": "trains on --data until the time is over",
}

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                 epilog="stages, in this order:\n" + "\n".join(f"  {name:10} {about}"
                                                                               for name, about in STAGES.items()))
parser.add_argument("--device", default="cuda", help="cuda, cuda:INDEX or cpu [default %(default)s]")
parser.add_argument("--quick", action="store_true", help="toy sizes")
parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("sextant-report"),
                    help="where report.md, report.json, the build and the logs go [default %(default)s]")
parser.add_argument("--minutes", type=float, default=25, help="for everything; training takes what is left [default %(default)s]")
parser.add_argument("--only", default="", help="these stages, by commas [default all]")
parser.add_argument("--skip", default="", help="stages to leave out, by commas")
parser.add_argument("--data", type=pathlib.Path, help="CIFAR-10, in any form that sextant train takes")
parser.add_argument("--peer", default="", help="what to compare with: see above")
parser.add_argument("--jobs", type=int, default=os.cpu_count(),
                    help="compilers at a time [default: the number of CPUs, here %(default)s]")
options = parser.parse_args()

START = time.monotonic()
OUT = options.out.resolve()
BUILD = OUT / "build"
LOGS = OUT / "logs"
ON_GPU = options.device.startswith("cuda")


def seconds_left():
    return options.minutes * 60 - (time.monotonic() - START)


class Failed(Exception):
    """A stage that failed: one line."""


class LeftOut(Exception):
    """A stage that has nothing to do here: one line."""


def run(log, command, limit=None, environment=None, stop=signal.SIGKILL):
    """Output into logs/LOG, and returned. Failed, with its end, for a status that is not 0 or a limit passed."""
    path = LOGS / log
    with path.open("w") as file:
        file.write("$ " + shlex.join(map(str, command)) + "\n")
        file.flush()
        process = subprocess.Popen([str(word) for word in command], cwd=SOURCE, stdout=file, stderr=subprocess.STDOUT,
                                   env={**os.environ, **(environment or {})}, start_new_session=True)
        try:
            status = process.wait(limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, stop)
            process.wait()
            if stop == signal.SIGKILL:
                raise Failed(f"{command[0]} ran longer than {limit:.0f} s; logs/{log}") from None
            status = 0
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    text = path.read_text(errors="replace")
    if status != 0:
        raise Failed(f"{pathlib.Path(str(command[0])).name} ended with {status}: "
                     + " / ".join(text.strip().splitlines()[-3:])[-400:] + f" (logs/{log})")
    return text


def sextant(log, *words, **how):
    return run(log, [BUILD / "src/cli/sextant", *words], **how)


def card():
    """Name and compute capability of the first card, as nvidia-smi tells them."""
    try:
        line = subprocess.run(["nvidia-smi", "--query-gpu=name,compute_cap,driver_version", "--format=csv,noheader"],
                              check=True, capture_output=True, text=True).stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        raise Failed("nvidia-smi finds no card; without one: --device cpu --quick") from None
    return [word.strip() for word in line.split(",")]


def build(result):
    spec = importlib.util.find_spec("torch")
    if not spec or not spec.origin:
        raise Failed(f"there is no PyTorch in {sys.executable}; activate its environment, or name its python as PYTHON")
    torch = pathlib.Path(spec.origin).parent
    settings = [f"-DTorch_DIR={torch}/share/cmake/Torch", "-DCMAKE_BUILD_TYPE=Release", "-DSEXTANT_BENCH=ON",
                "-DSEXTANT_PYTHON=OFF"]
    third = SOURCE.parent / "third"
    if third.is_dir():
        settings = ["-C", third / "third.cmake", *settings]
    environment = {}
    if ON_GPU:
        name, capability, driver = card()
        result.update(gpu=name, driver=driver)
        environment["TORCH_CUDA_ARCH_LIST"] = capability
        if shutil.which("nvcc"):
            settings += ["-DSEXTANT_CUDA=ON", f"-DCMAKE_CUDA_ARCHITECTURES={capability.replace('.', '')}-real"]
        else:
            result["note"] = "no nvcc on the PATH: sextant's own kernels are left out"
    configure = ["cmake", "-S", SOURCE, "-B", BUILD, "-G", "Ninja", "-Wno-dev", *settings]
    run("configure.log", configure, environment=environment)
    targets = ["sextant_cli", "adm128_step", "guided_sampling", "kernels_test", *(f"{name}_test" for name in GOLDEN)]
    run("build.log", ["cmake", "--build", BUILD, "--parallel", options.jobs, "--target", *targets],
        limit=300 if ON_GPU else None, environment=environment)
    result["version"] = sextant("version.log", "--version").strip().splitlines()[-1]


def tests(result, names, environment, log):
    """Runs test programs on the device; counts and names what failed."""
    support = "".join(file.read_text() for file in sorted((SOURCE / "tests/support").iterdir()))
    if ON_GPU and "SEXTANT_TEST_DEVICE" not in support:
        raise LeftOut("this tree's tests run on a CPU only")  # they would pass, and say nothing of the GPU
    total, failures = 0, []
    environment = {"SEXTANT_TEST_DEVICE": options.device, "SEXTANT_GOLDEN_DIR": SOURCE / "tests/golden",
                   "OMP_WAIT_POLICY": "passive", **environment}
    largest = result["largest_share_of_tolerance"] = {}
    for name in names:
        answers = LOGS / f"{log}-{name}.json"
        answers.unlink(missing_ok=True)
        try:
            run(f"{log}-{name}.log",
                [BUILD / f"tests/{name}/{name}_test", f"--gtest_filter=-Full*:*/Full*:{ELSEWHERE}", "--gtest_brief=1",
                 f"--gtest_output=json:{answers}"],
                limit=max(60, seconds_left()), environment=environment)
        except Failed as problem:
            if not answers.exists():
                failures.append(f"{name}: {problem}")
                continue
        counted = json.loads(answers.read_text())
        for suite in counted["testsuites"]:
            shares = [float(test["largest_share"]) for test in suite["testsuite"] if "largest_share" in test]
            if shares:
                largest[f"{name}: {suite['name']}"] = max(shares)
        total += counted["tests"]
        failures += [f"{name}: {suite['name']}.{test['name']}" for suite in counted["testsuites"]
                     for test in suite["testsuite"] if test.get("failures")]
    result.update(tests=total, failed=failures)
    if failures:
        raise Failed(f"{len(failures)} failed: {'; '.join(failures[:5])}")


def golden(result):
    tests(result, GOLDEN, gpu_speed.LIBTORCH_ALONE if ON_GPU else {}, "golden")


def kernels(result):
    """The kernels' own tests compare each with its twin in every dtype that the device has. On a GPU the golden vectors
    come once more, through our kernels and CUDA graphs."""
    tests(result, ["kernels", *(GOLDEN if ON_GPU else [])], {}, "kernels")


def speed(result):
    gpu_speed.measure(result, gpu_speed.Here(run, BUILD, OUT, options, ON_GPU, seconds_left, write_report, Failed))


def mnist(result):
    words = ["sweep", "recipes/demo.toml", "--out", OUT / "demo", "--overwrite", "--device", options.device]
    sextant("mnist.log", *words, *(["--count", "10", "--steps", "2"] if options.quick else []))
    result["table"] = (OUT / "demo/table.md").read_text()


def cifar(result):
    """Trains until the time is over, a checkpoint every two minutes; the steps are as many as the time holds."""
    data = options.data or next(iter(sorted(SOURCE.parent.glob("extra/cifar*"))), None)
    if options.quick and not data:
        data = OUT / "made-up"
        gpu_processes.made_up_images(data)
        result["note"] = "made-up images"
    if not data:
        raise LeftOut("no images: give --data CIFAR10")  # or a bundle with a folder extra/cifar...
    words = ["train", "--recipe", "recipes/train-cifar10-adm.toml", "--data", data.resolve()]
    words += ["--device", options.device]
    # What is decided once stays: a training continues only with the settings that it began with.
    plan = report["stages"].get("cifar", {}).get("plan")
    if not plan:
        shutil.rmtree(OUT / "cifar-probe", ignore_errors=True)
        probe = ["--steps", "2", "--batch", "2"] if options.quick else ["--steps", "60"]
        sextant("cifar-probe.log", *words, *probe, "--sample-every", "0", "--out", OUT / "cifar-probe", limit=600)
        with (OUT / "cifar-probe/run.json").open() as file:
            images_per_second = find(json.load(file), "images_per_second")
        batch = 2 if options.quick else 256
        steps_per_second = images_per_second / batch
        plan = {"batch": batch, "images_per_second": images_per_second,
                "steps": 4 if options.quick else max(100, int(0.9 * (seconds_left() - 60) * steps_per_second)),
                "checkpoint_every": 2 if options.quick else max(1, int(120 * steps_per_second))}
    result["plan"] = plan
    write_report()
    sextant("cifar.log", *words, "--steps", plan["steps"], "--batch", plan["batch"], "--checkpoint-every",
            plan["checkpoint_every"], "--sample-every", 0 if options.quick else plan["checkpoint_every"], "--out",
            OUT / "cifar10-adm", limit=None if options.quick else max(60, seconds_left()), stop=signal.SIGTERM)
    lines = (OUT / "cifar10-adm/metrics.jsonl").read_text().splitlines()
    result["last"] = json.loads(lines[-1]) if lines else {}


def processes(result):
    gpu_processes.train(result, sextant, OUT, options.device, Failed, LeftOut)


def find(value, key):
    """The first `key` anywhere in nested objects and lists."""
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    if isinstance(value, dict) and key in value:
        return value[key]
    return next((found for found in (find(one, key) for one in inner) if found is not None), None)


report = {"device": options.device, "quick": options.quick, "stages": {}}


def write_report():
    (OUT / "report.json.new").write_text(json.dumps(report, indent=1, default=str))
    (OUT / "report.json.new").replace(OUT / "report.json")
    lines = [f"# sextant on {options.device}{', quick' if options.quick else ''}", "", "| stage | result | seconds | |",
             "| --- | --- | ---: | --- |"]
    for name, stage in report["stages"].items():
        said = stage.get("note", "") or stage.get("version", "")
        if "tests" in stage:
            said = f"{stage['tests']} tests. {said}"
        lines.append(f"| {name} | {stage['status']} | {stage.get('seconds', 0):.0f} | {said.replace('|', '/')} |")
    for row in report["stages"].get("speed", {}).get("rows", []):
        lines += ["", "* " + ", ".join(f"{key} {value:.4g}" if isinstance(value, float) else str(value)
                                       for key, value in row.items())]
    for stage in ("golden", "kernels"):
        largest = report["stages"].get(stage, {}).get("largest_share_of_tolerance", {})
        if largest:
            lines += ["", f"## {stage}: the largest error of each kind, as a share of its tolerance", ""]
            lines += [f"* {name}: {share:.2g}" for name, share in sorted(largest.items(), key=lambda item: -item[1])]
    if "table" in report["stages"].get("mnist", {}):
        lines += ["", "## Digits", "", report["stages"]["mnist"]["table"]]
    (OUT / "report.md").write_text("\n".join(lines) + "\n")


def main():
    chosen = options.only.split(",") if options.only else list(STAGES)
    left_out = options.skip.split(",") if options.skip else []
    for name in [*chosen, *left_out]:
        if name not in STAGES:
            parser.error(f"'{name}' is no stage; they are {', '.join(STAGES)}")
    LOGS.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # run() ends what it started
    if (OUT / "report.json").exists():
        before = json.loads((OUT / "report.json").read_text())
        if (before["device"], before["quick"]) == (options.device, options.quick):
            report["stages"] = before["stages"]
    for name in chosen:
        if name in left_out:
            continue
        if report["stages"].get(name, {}).get("status") == "passed":
            print(f"{name}: passed before", flush=True)
            continue
        print(f"{name} ...", flush=True)
        before = report["stages"].get(name, {})
        result = {"status": "running", **({"plan": before["plan"]} if "plan" in before else {})}
        report["stages"][name] = result
        write_report()
        start = time.monotonic()
        try:
            globals()[name](result)
            result["status"] = "passed"
        except LeftOut as reason:
            result.update(status="left out", note=str(reason))
        except Failed as problem:
            result.update(status="failed", note=str(problem))
        result["seconds"] = round(time.monotonic() - start, 1)
        write_report()
        print(f"{name}: {result['status']} in {result['seconds']} s. {result.get('note', '')}", flush=True)
        if name == "build" and result["status"] == "failed":
            break
    print(f"{OUT}/report.md", flush=True)
    return any(stage["status"] == "failed" for stage in report["stages"].values())


sys.exit(main())
