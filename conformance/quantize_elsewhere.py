#!/usr/bin/env python3
"""Quantizes a float ONNX network with ONNX Runtime's quantizer, in every form that `octet convert`
reads: FOLDER/{qdq-u8s8,qdq-s8s8,qoperator-u8s8,qoperator-u8u8}.onnx.

usage: quantize_elsewhere.py NETWORK.onnx IMAGES.npy FOLDER
IMAGES.npy holds the calibration images as the network takes them, float32 [count, channels, height,
width].
"""
import pathlib
import sys

import numpy
import onnx  # before onnxruntime: both register the operator schemas, and whoever is second complains
from onnxruntime import quantization as q
from onnxruntime.quantization.shape_inference import quant_pre_process

BATCH = 64
# name: form, activations, weights, one scale per channel of a weight
STYLES = {
    "qdq-u8s8": (q.QuantFormat.QDQ, q.QuantType.QUInt8, q.QuantType.QInt8, True),
    "qdq-s8s8": (q.QuantFormat.QDQ, q.QuantType.QInt8, q.QuantType.QInt8, False),
    "qoperator-u8s8": (q.QuantFormat.QOperator, q.QuantType.QUInt8, q.QuantType.QInt8, True),
    "qoperator-u8u8": (q.QuantFormat.QOperator, q.QuantType.QUInt8, q.QuantType.QUInt8, False),
}


class Images(q.CalibrationDataReader):
    def __init__(self, name, images):
        self.batches = iter({name: images[i : i + BATCH]} for i in range(0, len(images), BATCH))

    def get_next(self):
        return next(self.batches, None)


def main(network, images, folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    prepared = folder / "prepared.onnx"
    quant_pre_process(network, str(prepared))
    name = onnx.load(prepared).graph.input[0].name
    images = numpy.load(images)
    for style, (form, activations, weights, per_channel) in STYLES.items():
        q.quantize_static(str(prepared), str(folder / f"{style}.onnx"), Images(name, images),
                          quant_format=form, activation_type=activations, weight_type=weights,
                          per_channel=per_channel)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
