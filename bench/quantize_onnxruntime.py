#!/usr/bin/env python3
"""Quantizes a network by ONNX Runtime's own quantizer, as its guide for x86 processors says: statically, uint8
activations, int8 weights per channel, min-max.

usage: quantize_onnxruntime.py FLOAT.onnx IMAGES OUT.onnx qdq|qoperator

IMAGES: float32 numbers, image after image.
"""
import os
import sys

import onnx  # before onnxruntime: both register the operators' schemas
import numpy
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process


class Images(CalibrationDataReader):
    def __init__(self, model, path):
        given = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"]).get_inputs()[0]
        images = numpy.fromfile(path, numpy.float32).reshape(-1, 1, *given.shape[1:])
        self.feeds = iter([{given.name: image} for image in images])

    def get_next(self):
        return next(self.feeds, None)


def main():
    model, images, out, form = sys.argv[1:]
    prepared, half_made = out + ".prepared", out + ".half"
    quant_pre_process(model, prepared)
    quantize_static(prepared, half_made, Images(model, images), per_channel=True,
                    quant_format=QuantFormat.QDQ if form == "qdq" else QuantFormat.QOperator,
                    activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
    os.remove(prepared)
    os.rename(half_made, out)


if __name__ == "__main__":
    main()
