#!/usr/bin/env python3
"""PyTorch's own training step, as fast as PyTorch does it: channels-last, Relu in place where autograd allows it, SGD in one fused kernel.

usage: qat_pytorch.py MODEL.onnx IMAGES LABELS BATCH THREADS RATE [--compiled] [--alone]

IMAGES: raw floats [batch, channels, height, width]; LABELS: raw 64-bit integers. Reads commands from standard input, a line
each, and answers with a line of JSON: 'loss' (of the present weights), 'steps N' (milliseconds per step), 'profile N'
([operator, calls per step, milliseconds per step] of each). --alone: takes three steps and prints its peak memory, MiB.
"""
import json
import sys
import time

import numpy
import onnx
import torch
import torch.fx
from torch.nn import functional

# Float constants of these move, unless they are single numbers.
TRAINED = {"Conv", "ConvTranspose", "Gemm", "MatMul", "Add", "Sub", "Mul", "Div", "LayerNormalization", "BatchNormalization"}
# What these put out, backward does not read: an activation may write over it.
WRITABLE = {"Conv", "Gemm", "Add", "Sub"}


class Operator:
    """An ONNX node; `constants` are the arrays among its inputs, by place."""

    def __init__(self, node, constants, in_place):
        self.op, self.outputs, self.in_place = node.op_type, list(node.output), in_place
        self.inputs = list(node.input)
        self.attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        self.constants = {i: constants[name] for i, name in enumerate(self.inputs) if name in constants}

    def get(self, name, otherwise=None):
        return self.attributes.get(name, otherwise)

    def integers(self, index, otherwise=None):
        return [int(i) for i in self.constants[index].ravel()] if index in self.constants else otherwise

    def number(self, index, otherwise=None):
        return self.constants[index].item() if index in self.constants else otherwise


def padded(n, x, rank, value=0.0):
    """The input, and the padding that is left to the operator: the same on both sides."""
    pads = n.get("pads", [0] * 2 * rank)
    if pads[:rank] == pads[rank:]:
        return x, pads[:rank]
    sides = [side for d in reversed(range(rank)) for side in (pads[d], pads[d + rank])]
    return functional.pad(x, sides, value=value), [0] * rank


def conv(n, x, weight, bias=None):
    rank = n.constants[1].ndim - 2
    x, padding = padded(n, x, rank)
    function = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}[rank]
    return function(x, weight, bias, n.get("strides", [1] * rank), padding, n.get("dilations", [1] * rank), n.get("group", 1))


def gemm(n, a, b, c=None):
    a = a.t() if n.get("transA", 0) else a
    alpha, beta = n.get("alpha", 1.0), n.get("beta", 1.0)
    if n.get("transB", 0) and alpha == 1 and beta == 1:
        return functional.linear(a, b, c)
    b = b.t() if n.get("transB", 0) else b
    return torch.matmul(a, b) * alpha if c is None else torch.addmm(c, a, b, beta=beta, alpha=alpha)


def clip(n, x, *_):
    low, high = n.number(1), n.number(2)
    if low == 0 and high is None:
        return functional.relu(x, n.in_place)
    if low is None or high is None:
        return torch.clamp(x, low, high)
    return functional.hardtanh(x, low, high)  # in place autograd would copy its input


def hard_sigmoid(n, x):
    alpha, beta = n.get("alpha", 0.2), n.get("beta", 0.5)
    if abs(alpha - 1 / 6) < 1e-7 and beta == 0.5:
        return functional.hardsigmoid(x)
    return torch.clamp(x * alpha + beta, 0, 1)


def pool(function, **more):
    def run(n, x):
        rank = len(n.get("kernel_shape"))
        x, padding = padded(n, x, rank, -numpy.inf if function is functional.max_pool2d else 0.0)
        return function(x, n.get("kernel_shape"), n.get("strides", [1] * rank), padding,
                        ceil_mode=bool(n.get("ceil_mode", 0)), **{key: make(n) for key, make in more.items()})
    return run


def reshape(n, x, _):
    return x.reshape([x.shape[i] if size == 0 else size for i, size in enumerate(n.integers(1))])


def part(n, x, *_):
    starts, ends = n.integers(1), n.integers(2)
    axes, steps = n.integers(3, list(range(len(starts)))), n.integers(4, [1] * len(starts))
    places = {axis: slice(start, end, step) for start, end, axis, step in zip(starts, ends, axes, steps)}
    last = max(axes)
    if min(axes) < 0:
        return x[(Ellipsis, *(places.get(axis, slice(None)) for axis in range(min(axes), 0)))]
    return x[tuple(places.get(axis, slice(None)) for axis in range(last + 1))]


def pad(n, x, *_):
    pads = n.integers(1)
    rank = len(pads) // 2
    sides = [side for d in reversed(range(rank)) for side in (pads[d], pads[d + rank])]
    return functional.pad(x, sides, value=n.number(2, 0.0))


def split(n, x, *_):
    axis, sizes = n.get("axis", 0), n.integers(1)
    return torch.split(x, sizes, axis) if sizes else torch.chunk(x, len(n.outputs), axis)


def axes_of(n, index=1):
    return n.integers(index, n.get("axes"))


def over_new_axes(n, x, *_):
    for axis in sorted(axes_of(n)):
        x = x.unsqueeze(axis)
    return x


def resize(n, x, *_):
    if n.get("mode", b"nearest") != b"nearest" or 3 in n.constants:
        raise SystemExit(f"Resize: mode {n.get('mode')} by sizes is not known here")
    return functional.interpolate(x, scale_factor=[float(s) for s in n.constants[2][2:]], mode="nearest")


OPERATORS = {
    "Conv": conv, "Gemm": gemm, "MatMul": lambda n, a, b: torch.matmul(a, b),
    "Relu": lambda n, x: functional.relu(x, n.in_place), "Clip": clip,
    "HardSwish": lambda n, x: functional.hardswish(x), "HardSigmoid": hard_sigmoid,
    "Sigmoid": lambda n, x: torch.sigmoid(x), "Tanh": lambda n, x: torch.tanh(x), "Erf": lambda n, x: torch.erf(x),
    "Gelu": lambda n, x: functional.gelu(x, approximate=n.get("approximate", b"none").decode()),
    "Sqrt": lambda n, x: torch.sqrt(x), "Exp": lambda n, x: torch.exp(x), "Neg": lambda n, x: -x,
    "Reciprocal": lambda n, x: torch.reciprocal(x),
    "LeakyRelu": lambda n, x: functional.leaky_relu(x, n.get("alpha", 0.01)),
    "Softmax": lambda n, x: torch.softmax(x, n.get("axis", -1)),
    "Add": lambda n, a, b: a + b, "Sub": lambda n, a, b: a - b, "Mul": lambda n, a, b: a * b, "Div": lambda n, a, b: a / b,
    "Pow": lambda n, a, b: torch.pow(a, n.number(1)),
    "GlobalAveragePool": lambda n, x: functional.adaptive_avg_pool2d(x, 1),
    "AveragePool": pool(functional.avg_pool2d, count_include_pad=lambda n: bool(n.get("count_include_pad", 0))),
    "MaxPool": pool(functional.max_pool2d, dilation=lambda n: n.get("dilations", [1, 1])),
    "ReduceMean": lambda n, x, *_: torch.mean(x, axes_of(n), bool(n.get("keepdims", 1))),
    "ReduceSum": lambda n, x, *_: torch.sum(x, axes_of(n), bool(n.get("keepdims", 1))),
    "LayerNormalization": lambda n, x, weight, bias=None: functional.layer_norm(
        x, n.constants[1].shape, weight, bias, n.get("epsilon", 1e-5)),
    "Reshape": reshape, "Flatten": lambda n, x: torch.flatten(x, n.get("axis", 1)),
    "Transpose": lambda n, x: x.permute(n.get("perm")), "Slice": part, "Split": split, "Pad": pad,
    "Concat": lambda n, *xs: torch.cat(xs, n.get("axis")), "Unsqueeze": over_new_axes,
    "Squeeze": lambda n, x, *_: torch.squeeze(x, tuple(axes_of(n))), "Resize": resize,
    "Identity": lambda n, x: x, "Dropout": lambda n, x, *_: x,
}


class Network(torch.nn.Module):
    """The nodes one after the other; `torch.fx` writes them out as code."""

    def __init__(self, graph):
        super().__init__()
        constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
        readers, makers = {}, {}
        for node in graph.node:
            makers.update({name: node.op_type for name in node.output})
            for name in node.input:
                readers[name] = readers.get(name, 0) + 1
        self.operators, self.names = [], {}
        for node in graph.node:
            if node.op_type not in OPERATORS:
                raise SystemExit(f"{node.op_type}: not known here")
            source = node.input[0]
            in_place = readers[source] == 1 and makers.get(source) in WRITABLE
            self.operators.append(Operator(node, constants, in_place))
            for index, name in enumerate(node.input):
                if name in constants and name not in self.names:
                    statistic = node.op_type == "BatchNormalization" and index > 2
                    self.hold(name, constants[name], node.op_type in TRAINED and not statistic)
        self.input, self.output = graph.input[0].name, graph.output[0].name

    def hold(self, name, array, trained):
        self.names[name] = f"constant{len(self.names)}"
        tensor = torch.from_numpy(array.copy())
        if tensor.dim() == 4 and tensor.is_floating_point():
            tensor = tensor.contiguous(memory_format=torch.channels_last)
        if trained and tensor.dtype == torch.float32 and tensor.dim() > 0:
            self.register_parameter(self.names[name], torch.nn.Parameter(tensor))
        else:
            self.register_buffer(self.names[name], tensor)

    def forward(self, images):
        values = {self.input: images, "": None}
        values |= {name: getattr(self, held) for name, held in self.names.items()}
        for n in self.operators:
            made = OPERATORS[n.op](n, *(values[name] for name in n.inputs))
            if len(n.outputs) == 1:
                values[n.outputs[0]] = made
            else:
                values |= {name: made[i] for i, name in enumerate(n.outputs) if name}
        return values[self.output]


class Training:
    def __init__(self, model, images, labels, batch, threads, rate, compiled):
        torch.set_num_threads(int(threads))
        graph = onnx.load(model).graph
        shape = [int(batch)] + [d.dim_value for d in graph.input[0].type.tensor_type.shape.dim[1:]]
        self.images = torch.from_numpy(numpy.fromfile(images, numpy.float32).reshape(shape))
        self.images = self.images.contiguous(memory_format=torch.channels_last)
        self.labels = torch.from_numpy(numpy.fromfile(labels, numpy.int64))
        self.network = torch.fx.symbolic_trace(Network(graph))
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=float(rate), momentum=0.9, fused=True)
        if compiled:
            self.network = torch.compile(self.network)

    def loss(self):
        return functional.cross_entropy(self.network(self.images), self.labels)

    def step(self):
        self.optimizer.zero_grad()
        loss = self.loss()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def steps(self, count):
        start = time.perf_counter()
        for _ in range(count):
            self.step()
        return 1000 * (time.perf_counter() - start) / count

    def profile(self, count):
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profiler:
            self.steps(count)
        return [[event.key, event.count / count, event.self_cpu_time_total / 1000 / count] for event in profiler.key_averages()]


def peak_mib():
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024


def main():
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    training = Training(*words, compiled="--compiled" in sys.argv)
    if "--alone" in sys.argv:
        training.steps(3)
        print(peak_mib())
        return
    for line in sys.stdin:
        command, *count = line.split()
        answer = training.loss().item() if command == "loss" else getattr(training, command)(int(count[0]))
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
