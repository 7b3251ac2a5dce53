#!/usr/bin/env python3
"""Writes networks as PyTorch's TorchScript exporter writes them, with random weights.

usage: export_networks.py FOLDER [NAME...]     one NAME.onnx per network; existing files stay

The weights are drawn with a fixed seed. Statistics of batch normalizations come from images of
Fashion-MNIST, enlarged; the head of torchvision's ViT (zero) and ConvNeXt's layer scale (1e-6) are drawn anew,
or nothing of the network would be seen at its output.
"""
import gzip
import math
import pathlib
import sys
import warnings

import numpy
import torch
import torchvision
from torch import nn

IMAGES = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz"
TOKENS = 64  # length of a text
LETTERS = 128


class Attention(nn.Module):
    def __init__(self, width, heads, causal):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.out = nn.Linear(width, width)
        self.register_buffer("mask", torch.tril(torch.ones(TOKENS, TOKENS, dtype=torch.bool)))

    def forward(self, x):
        batch, length, width = x.shape

        def split(y):
            return y.view(batch, length, self.heads, width // self.heads).transpose(1, 2)

        q, k, v = split(self.query(x)), split(self.key(x)), split(self.value(x))
        scores = q @ k.transpose(-2, -1) / math.sqrt(width // self.heads)
        if self.causal:
            scores = scores.masked_fill(~self.mask[:length, :length], float("-inf"))
        mixed = torch.softmax(scores, -1) @ v
        return self.out(mixed.transpose(1, 2).reshape(batch, length, width))


class Block(nn.Module):
    """`pre`: normalized before the parts, as GPT-2; else after them, as BERT."""

    def __init__(self, width, heads, pre):
        super().__init__()
        self.pre = pre
        self.attention = Attention(width, heads, causal=pre)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.gelu = nn.GELU(approximate="tanh" if pre else "none")

    def forward(self, x):
        if self.pre:
            x = x + self.attention(self.norm1(x))
            return x + self.down(self.gelu(self.up(self.norm2(x))))
        x = self.norm1(x + self.attention(x))
        return self.norm2(x + self.down(self.gelu(self.up(x))))


class Language(nn.Module):
    def __init__(self, pre, width=128, heads=4, layers=3):
        super().__init__()
        self.pre = pre
        self.token, self.place = nn.Embedding(LETTERS, width), nn.Embedding(TOKENS, width)
        self.norm = nn.LayerNorm(width)
        self.blocks = nn.Sequential(*(Block(width, heads, pre) for _ in range(layers)))
        self.pool, self.head = nn.Linear(width, width), nn.Linear(width, 10)

    def forward(self, tokens):
        places = torch.arange(tokens.shape[1], device=tokens.device)
        x = self.token(tokens) + self.place(places)
        if self.pre:  # the next letter, by the letters' own embeddings
            return self.norm(self.blocks(x)) @ self.token.weight.t()
        x = self.blocks(self.norm(x))
        return self.head(torch.tanh(self.pool(x[:, 0])))


def conv(inputs, outputs, kernel=1, stride=1, groups=1, norm=True, act=False):
    layers = [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=not norm)]
    if norm:
        layers.append(nn.BatchNorm2d(outputs))
    if act:
        layers.append(nn.Hardswish())
    return nn.Sequential(*layers)


class Residual(nn.Module):
    def __init__(self, main):
        super().__init__()
        self.main = main

    def forward(self, x):
        return x + self.main(x)


def depthwise_separable(inputs, outputs):
    return nn.Sequential(conv(inputs, inputs, 3, groups=inputs, act=True), conv(inputs, outputs))


def inverted_bottleneck(inputs, outputs, stride, fewer_norm):
    middle = 4 * inputs
    return nn.Sequential(conv(inputs, middle, act=True, norm=not fewer_norm),
                         conv(middle, middle, 3, stride, middle, act=True, norm=not fewer_norm),
                         conv(middle, outputs))


class LinearAttention(nn.Module):
    """Multi-scale linear attention with ReLU kernels (EfficientViT, H. Cai et al., ICCV 2023)."""

    def __init__(self, channels, dim):
        super().__init__()
        heads = channels // dim
        total = 3 * heads * dim
        self.dim = dim
        self.qkv = nn.Conv2d(channels, total, 1, bias=False)
        self.aggregate = nn.Sequential(
            nn.Conv2d(total, total, 5, padding=2, groups=total, bias=False),
            nn.Conv2d(total, total, 1, groups=3 * heads, bias=False))
        self.out = conv(2 * heads * dim, channels)

    def forward(self, x):
        qkv = self.qkv(x)
        qkv = torch.cat([qkv, self.aggregate(qkv)], 1)
        batch, _, height, width = qkv.shape
        qkv = qkv.reshape(batch, -1, 3 * self.dim, height * width)
        q, k, v = qkv[:, :, :self.dim], qkv[:, :, self.dim:2 * self.dim], qkv[:, :, 2 * self.dim:]
        q, k = torch.relu(q), torch.relu(k)
        v = nn.functional.pad(v, (0, 0, 0, 1), value=1.0)
        mixed = (v @ k.transpose(-1, -2)) @ q
        mixed = mixed[:, :, :-1] / (mixed[:, :, -1:] + 1e-15)
        return self.out(mixed.reshape(batch, -1, height, width))


def efficientvit(widths, depths, dim, head, classes=1000):
    layers = [conv(3, widths[0], 3, 2, act=True)]
    layers += [Residual(depthwise_separable(widths[0], widths[0])) for _ in range(depths[0])]
    for stage in range(1, 5):
        inputs, outputs, late = widths[stage - 1], widths[stage], stage > 2
        layers.append(inverted_bottleneck(inputs, outputs, 2, late))
        for _ in range(depths[stage] - (0 if late else 1)):
            if late:
                layers.append(Residual(LinearAttention(outputs, dim)))
            layers.append(Residual(inverted_bottleneck(outputs, outputs, 1, late)))
    layers += [conv(widths[4], head[0], act=True), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
               nn.Linear(head[0], head[1], bias=False), nn.LayerNorm(head[1]), nn.Hardswish(),
               nn.Linear(head[1], classes)]
    return nn.Sequential(*layers)


def small_vit(size=224):
    """The size of DeiT-Tiny."""
    return torchvision.models.VisionTransformer(size, 16, 12, 3, 192, 768)


def set_statistics(model, images):
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the plain mean over the batches
            module.reset_running_stats()
    model.train()
    for module in model.modules():
        if isinstance(module, (nn.Dropout, torchvision.ops.StochasticDepth)):
            module.eval()
    with torch.no_grad():
        for batch in images.split(16):
            model(batch)


def wake(model):
    for name, parameter in model.named_parameters():
        if name.endswith("layer_scale") or name.startswith("heads.head."):
            nn.init.normal_(parameter, std=0.2)


def read_images(count, size):
    with gzip.open(IMAGES) as file:
        pixels = numpy.frombuffer(file.read(16 + count * 784)[16:], dtype=numpy.uint8)
    grey = torch.tensor(pixels.reshape(count, 1, 28, 28)).float() / 255
    grey = (grey - 0.286) / 0.353
    return nn.functional.interpolate(grey, size, mode="bilinear").repeat(1, 3, 1, 1)


models = torchvision.models
# name: how it is made, size of the images (0: tokens), opset
NETWORKS = {
    "resnet18": (models.resnet18, 224, 13),
    "resnet50": (models.resnet50, 224, 17),
    "mobilenet_v2": (models.mobilenet_v2, 224, 14),
    "mobilenet_v3_small": (models.mobilenet_v3_small, 224, 13),
    "mobilenet_v3_large": (models.mobilenet_v3_large, 224, 18),
    "efficientnet_b0": (models.efficientnet_b0, 224, 15),
    "shufflenet_v2": (models.shufflenet_v2_x1_0, 224, 16),
    "squeezenet": (models.squeezenet1_1, 224, 13),
    "densenet121": (models.densenet121, 224, 17),
    "regnet_y_400mf": (models.regnet_y_400mf, 224, 19),
    "mnasnet": (models.mnasnet1_0, 224, 18),
    "googlenet": (lambda: models.googlenet(aux_logits=False, init_weights=True), 224, 13),
    "inception_v3": (lambda: models.inception_v3(aux_logits=False, init_weights=True), 299, 17),
    "convnext_tiny": (models.convnext_tiny, 224, 16),
    "vit_b_16": (models.vit_b_16, 224, 14),
    "deit_tiny": (small_vit, 224, 20),
    "swin_t": (models.swin_t, 224, 17),
    "efficientvit_b0": (lambda: efficientvit([8, 16, 32, 64, 128], [1, 2, 2, 2, 2], 16,
                                             [1024, 1280]), 224, 17),
    "efficientvit_b1": (lambda: efficientvit([16, 32, 64, 128, 256], [1, 2, 3, 3, 4], 16,
                                             [1536, 1600]), 224, 13),
    "efficientvit_small": (lambda: efficientvit([8, 16, 16, 16, 32], [1, 1, 1, 1, 1], 8,
                                                [32, 32], 10), 64, 14),
    "bert_like": (lambda: Language(pre=False), 0, 14),
    "gpt_like": (lambda: Language(pre=True), 0, 17),
}


def export(folder, name):
    make, size, opset = NETWORKS[name]
    torch.manual_seed(1)
    model = make()
    wake(model)
    if size:
        set_statistics(model, read_images(64, size))
        example = torch.zeros(1, 3, size, size)
    else:
        example = torch.zeros(1, TOKENS, dtype=torch.long)
    half_made = folder / (name + ".half")
    torch.onnx.export(model.eval(), (example,), str(half_made), dynamo=False, opset_version=opset,
                      input_names=["input"], output_names=["output"],
                      dynamic_axes={"input": {0: "N"}, "output": {0: "N"}})
    half_made.rename(folder / (name + ".onnx"))


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    for name in sys.argv[2:] or NETWORKS:
        if name in NETWORKS and not (folder / (name + ".onnx")).exists():
            print(f"exporting {name}", flush=True)
            export(folder, name)


if __name__ == "__main__":
    main()
