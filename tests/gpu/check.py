"""What a GPU must do: losses, speed, memory, resume and a whole run, measured in at most eight minutes.

    python -m tests.gpu.check OUT.json [--data FOLDER] [--small]

It needs no network, and beside Keras with what that needs only NumPy, OpenCV, JAX and PyTorch. Whole runs
read data sets and write pages, so they need the other dependencies of this project, too, which ``PYTHONPATH``
may add; without them they say which module is missing. Each check is a process of its own, as a process has
one backend. On a CPU a check of a GPU says "not checked", never "passed".
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from tests.gpu.network import make_batch, make_network, trainable
from tests.gpu.process import MISSING, NO_TIME, run_check

SECONDS = 480.0  # for all checks
STEPS = 20
BATCHES = (1, 8, 64)
MIN_TRAINED = {8: 1000.0, 64: 1300.0}  # images a second at 416 × 416
NOT_CHECKED = "not checked"
TOO_MANY = 64  # times 8 images a step

Row = dict[str, Any]
Check = Callable[[argparse.Namespace], Iterator[Row]]


def row(name: str, value: Any, limit: str = "", passed: bool | None = None, why: str = "") -> Row:
    """A line of the result; with ``passed`` None it was measured or left out, and not held to a limit."""
    verdict = NOT_CHECKED if passed is None else "passed" if passed else "FAILED"
    return {"check": name, "value": value, "limit": limit, "device": device(), "verdict": verdict, "why": why}


def device() -> str:
    """What the backend of this process computes on."""
    import keras

    if keras.backend.backend() == "torch":
        import torch

        return torch.cuda.get_device_name(0) if torch.cuda.is_available() else "cpu"
    import jax

    return str(jax.devices()[0].device_kind)


def on_gpu() -> bool:
    """Whether that is a GPU."""
    return device() != "cpu"


def held(passed: bool) -> bool | None:
    """A verdict that counts on a GPU alone."""
    return passed if on_gpu() else None


def devices(_: argparse.Namespace) -> Iterator[Row]:
    """Versions, devices and their memory."""
    import jax
    import keras

    versions = {"python": sys.version.split()[0], "numpy": np.__version__, "keras": keras.__version__}
    yield row("versions", versions | {"jax": jax.__version__})
    for each in jax.devices():
        memory = (each.memory_stats() or {}).get("bytes_limit")
        yield row("device", {"kind": each.device_kind, "memory": memory})


def losses_of(precision: str, options: argparse.Namespace) -> list[float]:
    """The loss of each of twenty steps on one batch."""
    with TemporaryDirectory() as folder:
        network = make_network(Path(folder) if options.small else None)
    model, batch = trainable(network, precision), make_batch(network[1], options.side, 4)
    return [float(model.train_on_batch(*batch, return_dict=True)["loss"]) for _ in range(STEPS)]


def losses(options: argparse.Namespace) -> Iterator[Row]:
    """They fall in each precision, and in float32 they are those of the CPU."""
    for precision in ("float32", "bfloat16", "float16"):
        found = losses_of(precision, options)
        if precision == "float32":
            exact = found
        yield row(f"loss falls, {precision}", [found[0], found[-1]], "last < first", found[-1] < found[0])
    if not on_gpu():
        yield row("losses as on the CPU, float32", None, "1 %", why="this is the CPU")
        return
    printed, fault = run_check("cpu_losses", options, 200)
    if fault:
        yield row("losses as on the CPU, float32", None, "1 %", why=fault)
        return
    wanted = json.loads(printed.splitlines()[-1])["value"]
    worst = float(np.max(np.abs(np.subtract(exact, wanted)) / np.abs(wanted)))
    yield row("losses as on the CPU, float32", worst, "1 %", worst <= 0.01)


def cpu_losses(options: argparse.Namespace) -> Iterator[Row]:
    """What `losses` compares with."""
    yield row("losses", losses_of("float32", options))


def seconds_each(work: Callable[[], Any], times: int) -> float:
    """The time that a repetition takes, once compiled."""
    import jax

    jax.block_until_ready(work())
    start = time.perf_counter()
    for _ in range(times):
        last = work()
    jax.block_until_ready(last)
    return (time.perf_counter() - start) / times


def bare_step(model: Any, batch: Any) -> Callable[[], Any]:
    """Forward and backward alone, with its data on the device."""
    import jax

    images, targets = jax.device_put(batch)
    others = [variable.value for variable in model.non_trainable_variables]

    def loss(values: Any) -> Any:
        heads, _ = model.stateless_call(values, others, images, training=True)
        return sum(model.yolo_loss(targets, heads if isinstance(heads, list) else [heads]).values())

    # A compiled step of `fit` takes over the buffers of the variables: these are copies.
    values = [jax.numpy.array(variable.value, copy=True) for variable in model.trainable_variables]
    gradient = jax.jit(jax.grad(loss))
    return lambda: gradient(values)


def speed(options: argparse.Namespace) -> Iterator[Row]:
    """Images a second of training and detection, beside the bare network of the same process."""
    network = make_network(Path(options.folder) if options.small else None)
    for count in BATCHES[: 2 if options.small else None]:
        model = trainable(network, "float16" if on_gpu() else "float32")
        batch = make_batch(network[1], options.side, count)
        yield training_speed(model, batch, options.times)
        yield detection_speed(model, batch[0], options.times)


def training_speed(model: Any, batch: Any, times: int) -> Row:
    """Images a second of `fit`, where making batches costs nothing, and of the bare step."""
    count = len(batch[0])
    bare = count / seconds_each(bare_step(model, batch), times)
    rated = batch[0], batch[1] | {"learning_rate": np.full(count, 1e-4, np.float32)}
    model.fit((rated for _ in range(2)), steps_per_epoch=2, verbose=0)
    start = time.perf_counter()
    model.fit((rated for _ in range(times)), steps_per_epoch=times, verbose=0)
    found = times * count / (time.perf_counter() - start)
    minimum = MIN_TRAINED.get(count, 0.0)
    limit = f"fit at least {minimum:g} at 416 x 416" if minimum else ""
    name = f"images a second, training, {count} a step"
    return row(name, {"fit": found, "bare step": bare}, limit, held(found >= minimum) if minimum else None)


def detection_speed(model: Any, images: Any, times: int) -> Row:
    """Images a second of the network as an engine runs it, and of the bare forward pass with its upload."""
    import jax

    count, forward = len(images), jax.jit(lambda pixels: model(pixels, training=False))
    bare = count / seconds_each(lambda: forward(jax.device_put(images)), times)
    found = count / seconds_each(lambda: model.predict_on_batch(images), times)
    passed = held(found >= bare / 2) if count == BATCHES[-1] else None
    figures = {"predict": found, "bare forward with upload": bare}
    return row(f"images a second, detection, {count} at once", figures, "half the bare one at 64", passed)


def memory(options: argparse.Namespace) -> Iterator[Row]:
    """A batch that is too large for a twentieth of the GPU is recognised, and a small one still fits then."""
    from yolo_cli.training.yolo.failures import out_of_memory

    if not on_gpu():
        yield row("out of memory is recognised", None, "recognised", why="this is the CPU")
        return
    network = make_network(None)
    small = make_batch(network[1], options.side, 8)
    large = small[0].repeat(TOO_MANY, 0), {key: each.repeat(TOO_MANY, 0) for key, each in small[1].items()}
    try:
        trainable(network, "float32").train_on_batch(*large)
    except Exception as error:
        yield row("out of memory is recognised", repr(error)[:200], "recognised", out_of_memory(error))
    else:
        yield row("out of memory is recognised", None, "recognised", why=f"{8 * TOO_MANY} images a step fit")
    gc.collect()  # as `train_yolo` does, which starts over with half the batch size
    loss = float(trainable(network, "float32").train_on_batch(*small, return_dict=True)["loss"])
    yield row("a smaller batch after that", loss, "a finite loss", bool(np.isfinite(loss)))


def resume(options: argparse.Namespace) -> Iterator[Row]:
    """A run that was cut off ends with the bytes of one that was not."""
    from tests.unit.training.yolo import compiled_run

    found = compiled_run.measure(Path(options.folder))
    same = found["digests"][0] == found["digests"][1]
    yield row("resumed run", "same bytes" if same else "other bytes", "same bytes", same)
    yield row("traces", found["traces"], "one of the step", found["traces"]["train_step"] == 1)


def fridge(options: argparse.Namespace) -> Iterator[Row]:
    """A whole run of the command with default options, its cache warm: 1.000 / .87 in 45 s."""
    if not on_gpu() or options.data is None:
        why = "this is the CPU" if options.data else "no --data"
        yield row("fridge", None, "mAP50 1.000, mAP50-95 .87, 45 s", why=why)
        return
    for warm in (False, True):
        command = [sys.executable, "-m", "yolo_cli", "train", "--data", options.data, "--exist-ok"]
        out, cache = f"{options.folder}/fridge", {"XDG_CACHE_HOME": options.folder}
        start = time.perf_counter()
        done = subprocess.run(
            [*command, "--out", out], env=os.environ | cache, capture_output=True, text=True, check=False
        )
        seconds = time.perf_counter() - start
        figures = [line for line in done.stderr.splitlines() if line.startswith("mAP50 ")]
        numbers = figures[0].replace(",", "").split() if figures else ["", "0", "", "0"]
        good = float(numbers[1]) >= 0.9995 and float(numbers[3]) >= 0.87
        value = {"seconds": seconds, "figures": figures or done.stderr[-300:]}
        name = f"fridge, {'warm' if warm else 'cold'} cache"
        yield row(name, value, "1.000 / .87 in 45 s", good and seconds <= 45 if warm else good)


def torch(options: argparse.Namespace) -> Iterator[Row]:
    """PyTorch learns and detects on CUDA."""
    import torch as framework

    if not framework.cuda.is_available():
        yield row("PyTorch: loss falls", None, "last < first", why="PyTorch sees no GPU")
        return
    found = losses_of("float32", options)
    yield row("PyTorch: loss falls", [found[0], found[-1]], "last < first", found[-1] < found[0])
    network = make_network(None)
    heads = trainable(network, "float32").predict_on_batch(make_batch(network[1], options.side, 4)[0])
    finite = all(isinstance(head, np.ndarray) and bool(np.isfinite(head).all()) for head in heads)
    yield row("PyTorch: detects", [list(head.shape) for head in heads], "finite arrays", finite)


def torch_run(options: argparse.Namespace) -> Iterator[Row]:
    """A whole run of training on PyTorch: callbacks, averages, evaluation, checkpoint, files."""
    import torch as framework

    from tests.training_sets import write_shapes, write_tiny_cfg
    from yolo_cli.config import TrainConfig
    from yolo_cli.training import TrainJob, train

    folder = Path(options.folder)
    data, cfg = write_shapes(folder / "data"), write_tiny_cfg(folder)
    config = TrainConfig(epochs=2, batch=4)
    result = train(TrainJob(str(data), folder / "run", model=str(cfg), config=config))
    done = result.keras.is_file() and result.state.epoch == 2
    why = "" if framework.cuda.is_available() else "PyTorch sees no GPU"
    yield row("PyTorch: a whole run", str(result.keras), "best.keras", None if why else done, why)


CHECKS: dict[str, Check] = {
    each.__name__: each
    for each in (devices, losses, speed, torch, resume, memory, fridge, torch_run, cpu_losses)
}


def all_checks(options: argparse.Namespace) -> Iterator[Row]:
    """Every check, while there is time."""
    end = time.monotonic() + SECONDS
    for name in list(CHECKS)[:-1]:
        printed, fault = run_check(name, options, end - time.monotonic())
        yield from (json.loads(line) for line in printed.splitlines() if line.startswith("{"))
        if fault:
            verdict = NOT_CHECKED if fault.startswith((MISSING, NO_TIME)) else "FAILED"
            yield {
                "check": name, "value": None, "limit": "", "device": "", "verdict": verdict, "why": fault
            }  # fmt: skip


def main() -> int:
    """Run the checks, print a line each, and write all of them; 1 if one failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("out", type=Path, help="where the JSON goes")
    parser.add_argument("--data", help="the data set fridge")
    parser.add_argument("--small", action="store_true", help="tiny sizes, to try the script itself")
    parser.add_argument("--only", choices=CHECKS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.data = options.data and str(Path(options.data).resolve())
    options.side, options.times = (64, 3) if options.small else (416, 30)
    if options.only:
        with TemporaryDirectory() as options.folder:
            for each in CHECKS[options.only](options):
                print(json.dumps(each), flush=True)
        return 0
    rows = []
    for each in all_checks(options):
        rows.append(each)
        keys = ("verdict", "check", "value", "limit", "device", "why")
        print(*(f"{each[key]}" for key in keys), sep=" | ", flush=True)
        options.out.write_text(json.dumps(rows, indent=2), encoding="utf-8")  # as far as it got
    return int(any(each["verdict"] == "FAILED" for each in rows))


if __name__ == "__main__":
    sys.exit(main())
