#!/usr/bin/env python3
"""PyTorch's training of a float network from where it stands, by the settings that `octet train` has in its recipe.

usage: train_pytorch.py NET.onnx IMAGES --size N [--epochs N] [--batch N] [--rate R] [--weight-decay D] [--crop N] [--seed N]

NET.onnx: with its BatchNormalizations, as `octet new` writes it. IMAGES: has train/<class>/*.jpg and test/<class>/*.jpg.
AdamW, the cosine schedule after a warm-up of 5 % of the steps, images mirrored every other time and shifted by up to --crop
pixels, as docs/training.md says. Prints the loss of every epoch, then top-1 on the test images in per cent.
"""
import argparse
import math
import pathlib
import time

import numpy
import onnx
import torch
from PIL import Image
from torch.nn import functional

import qat_pytorch

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def normalized(n, x, weight, bias, mean, variance):
    momentum = 1 - n.get("momentum", 0.9)
    return functional.batch_norm(x, mean, variance, weight, bias, n.training, momentum, n.get("epsilon", 1e-5))


def dropped(n, x, *_):
    return functional.dropout(x, n.number(1, 0.5), n.training)


def images_of(folder):
    classes = sorted(path for path in folder.iterdir() if path.is_dir())
    files = [(path, label) for label, name in enumerate(classes) for path in sorted(name.iterdir())]
    pixels = numpy.stack([numpy.asarray(Image.open(path).convert("RGB")) for path, _ in files])
    return torch.from_numpy(pixels), torch.tensor([label for _, label in files])


def prepared(pixels, size):
    images = pixels.permute(0, 3, 1, 2).float() / 255
    images = (images - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(DEVIATION).view(1, 3, 1, 1)
    if images.shape[2] != size:
        images = functional.interpolate(images, (size, size), mode="bilinear", align_corners=False)
    return images.contiguous(memory_format=torch.channels_last)


def augmented(images, crop, generator):
    black = [-mean / deviation for mean, deviation in zip(MEAN, DEVIATION)]
    size = images.shape[2]
    out = torch.empty_like(images)
    for i, image in enumerate(images):
        if torch.rand(1, generator=generator) < 0.5:
            image = image.flip(2)
        frame = torch.empty(3, size + 2 * crop, size + 2 * crop)
        for channel, value in enumerate(black):
            frame[channel] = value
        frame[:, crop:crop + size, crop:crop + size] = image
        top, left = torch.randint(0, 2 * crop + 1, (2,), generator=generator).tolist()
        out[i] = frame[:, top:top + size, left:left + size]
    return out


def pace(step, steps, warmup):
    if step < warmup:
        return (step + 1) / (warmup + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network")
    parser.add_argument("images", type=pathlib.Path)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=0.003)
    parser.add_argument("--weight-decay", type=float, default=0)
    parser.add_argument("--crop", type=int, default=0)
    parser.add_argument("--held-back", type=float, default=0.1, help="share of the training images that is not learned from")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()

    torch.manual_seed(given.seed)
    generator = torch.Generator().manual_seed(given.seed)
    qat_pytorch.OPERATORS |= {"BatchNormalization": normalized, "Dropout": dropped}
    network = qat_pytorch.Network(onnx.load(given.network).graph)
    qat_pytorch.Operator.training = True
    weights = [p for p in network.parameters() if p.dim() > 1]
    others = [p for p in network.parameters() if p.dim() <= 1]
    optimizer = torch.optim.AdamW([{"params": weights, "weight_decay": given.weight_decay}, {"params": others, "weight_decay": 0}], lr=given.rate)
    pixels, labels = images_of(given.images / "train")
    order = torch.randperm(len(labels), generator=generator)
    order = order[:len(labels) - int(len(labels) * given.held_back)]
    steps = given.epochs * -(-len(order) // given.batch)
    step = 0
    for epoch in range(given.epochs):
        start, total = time.time(), 0.0
        for some in order[torch.randperm(len(order), generator=generator)].split(given.batch):
            for group in optimizer.param_groups:
                group["lr"] = given.rate * pace(step, steps, 0.05 * steps)
            images = augmented(prepared(pixels[some], given.size), given.crop, generator)
            optimizer.zero_grad()
            loss = functional.cross_entropy(network(images), labels[some])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(some)
            step += 1
        print(f"epoch {epoch + 1}: loss {total / len(order):.3f}, {len(order) / (time.time() - start):.0f} images/s", flush=True)
    qat_pytorch.Operator.training = False
    pixels, labels = images_of(given.images / "test")
    right = 0
    with torch.no_grad():
        for some in torch.arange(len(labels)).split(256):
            right += (network(prepared(pixels[some], given.size)).argmax(1) == labels[some]).sum().item()
    print(f"top-1 {100 * right / len(labels):.2f} %")


if __name__ == "__main__":
    main()
