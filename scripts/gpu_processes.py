"""Two processes that train together: a stage of gpu.py."""
import concurrent.futures
import json
import socket
import subprocess


def made_up_images(folder):
    """CIFAR-10's binary format with colours that tell the class: proves the stage, teaches nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, count in (("data_batch_1.bin", 60), ("test_batch.bin", 20)):
        (folder / name).write_bytes(b"".join(bytes([i % 10]) + bytes([25 * (i % 10)]) * 3072 for i in range(count)))


def cards():
    """How many there are, by nvidia-smi."""
    return len(subprocess.run(["nvidia-smi", "-L"], check=True, capture_output=True, text=True).stdout.splitlines())


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def train(result, sextant, out, device, failed, left_out):
    """Three steps by two processes, on two cards by NCCL and on a CPU by Gloo, and by one alone: the same losses."""
    if device.startswith("cuda") and cards() < 2:
        raise left_out("needs two cards")
    made_up_images(out / "made-up")
    words = ["train", "--recipe", "recipes/train-cifar10-adm.toml", "--data", out / "made-up", "--overwrite",
             "--device", device, "--precision", "fp32", "--steps", "3", "--batch", "2", "--log-every", "1",
             "--sample-every", "0"]
    place = f"127.0.0.1:{free_port()}"  # by number: a bare system may know no name, not even localhost

    def rank(number):
        return sextant(f"processes-{number}.log", *words, "--out", out / "processes", "--world-size", "2", "--rank",
                       number, "--rendezvous", place, limit=600,
                       environment={"SEXTANT_CUDA_KERNELS": "1", "SEXTANT_TIMEOUT": "120"})

    with concurrent.futures.ThreadPoolExecutor() as pool:
        said = list(pool.map(rank, (0, 1)))
    for line in said[0].splitlines():
        if "added on the CPU" in line:
            raise failed(line)
    sextant("processes-alone.log", *words, "--out", out / "process", limit=600)
    losses = [[json.loads(line)["loss"] for line in (out / folder / "metrics.jsonl").read_text().splitlines()]
              for folder in ("processes", "process")]
    largest = max(abs(two - one) / abs(one) for two, one in zip(*losses, strict=True))
    result.update(losses=losses, note=f"losses of two processes and of one differ by {largest:.1e}")
    if largest > 1e-2:
        raise failed(result["note"])
