#!/usr/bin/env python3
"""Trains the small decoder of the language tests, and writes it beside this file.

usage: train.py [STEPS [OUT.onnx]]     STEPS: 600; a minute on one core that multiplies in bfloat16

A causal transformer of three blocks, width 64, that reads 64 bytes and tells the next one at each place: tokens
int64 [N, 64] to logits float32 [N, 64, 128]. Normalized before the parts, as GPT-2 (A. Radford et al., 2019). The
text is Isaac Newton's Opticks (fourth edition, London 1730; public domain) in ASCII: opticks.txt to learn from,
opticks-later.txt, which follows it in the book, to test on.
"""
import math
import pathlib
import sys
import time
import warnings

import torch
from torch import nn

CONTEXT, LETTERS, WIDTH, HEADS, BLOCKS = 64, 128, 64, 4, 3
BATCH, RATE, WARMUP = 32, 6e-3, 50
HERE = pathlib.Path(__file__).parent


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.query, self.key, self.value, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
        self.register_buffer("later", torch.triu(torch.full((CONTEXT, CONTEXT), -1e4), 1))

    def attend(self, x):
        def split(y):
            return y.view(-1, CONTEXT, HEADS, WIDTH // HEADS).transpose(1, 2)

        q, k, v = split(self.query(x)), split(self.key(x)), split(self.value(x))
        scores = q @ k.transpose(-2, -1) / math.sqrt(WIDTH // HEADS) + self.later
        mixed = torch.softmax(scores, -1) @ v
        return self.out(mixed.transpose(1, 2).reshape(-1, CONTEXT, WIDTH))

    def forward(self, x):
        x = x + self.attend(self.norm1(x))
        return x + self.down(nn.functional.gelu(self.up(self.norm2(x))))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.token, self.place = nn.Embedding(LETTERS, WIDTH), nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.Sequential(*(Block() for _ in range(BLOCKS)))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, LETTERS)

    def forward(self, tokens):
        return self.head(self.norm(self.blocks(self.token(tokens) + self.place.weight)))


def read(name):
    return torch.frombuffer(bytearray((HERE / name).read_bytes()), dtype=torch.uint8).long()


def loss_of(model, windows):
    logits = model(windows[:, :CONTEXT])
    return nn.functional.cross_entropy(logits.reshape(-1, LETTERS), windows[:, 1:].reshape(-1))


def perplexity(model, text):
    count = (len(text) - 1) // CONTEXT
    windows = torch.stack([text[i * CONTEXT:(i + 1) * CONTEXT + 1] for i in range(count)])
    with torch.no_grad():
        return math.exp(loss_of(model, windows))


def train(model, text, steps):
    optimizer = torch.optim.AdamW(model.parameters(), RATE, weight_decay=0.05)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1, step / WARMUP) * 0.5 *
                                                  (1 + math.cos(math.pi * step / steps)))
    start, places = time.time(), torch.arange(CONTEXT + 1)
    for step in range(1, steps + 1):
        begins = torch.randint(len(text) - CONTEXT, (BATCH, 1))
        with torch.autocast("cpu", torch.bfloat16):
            loss = loss_of(model, text[begins + places])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1)
        optimizer.step()
        scheduler.step()
        if step % 100 == 0:
            print(f"step {step}: loss {loss.item():.3f}, perplexity on the later text "
                  f"{perplexity(model, read('opticks-later.txt')):.3f}, {time.time() - start:.0f} s", flush=True)


def main():
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 600
    out = sys.argv[2] if len(sys.argv) > 2 else str(HERE / "decoder.onnx")
    torch.manual_seed(1)
    model = Decoder()
    for name, parameter in model.named_parameters():
        if "token" in name or "place" in name:
            nn.init.normal_(parameter, std=0.1)
    train(model, read("opticks.txt"), steps)
    warnings.simplefilter("ignore")
    torch.onnx.export(model.eval(), (torch.zeros(1, CONTEXT, dtype=torch.long),), out, dynamo=False, opset_version=17,
                      input_names=["tokens"], output_names=["logits"],
                      dynamic_axes={"tokens": {0: "N"}, "logits": {0: "N"}})


if __name__ == "__main__":
    main()
