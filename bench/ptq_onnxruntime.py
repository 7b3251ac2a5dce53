#!/usr/bin/env python3
"""ONNX Runtime's own post-training quantization, timed from the inside.

usage: ptq_onnxruntime.py quantize FLOAT.onnx IMAGES COUNT OUT.onnx minmax|entropy
       ptq_onnxruntime.py ranges FLOAT.onnx IMAGES COUNT OUT.json

IMAGES: an IDX file of bytes [number, height, width, channels], read image by image and normalized as the data
description of the benchmark says. 'quantize' prints a JSON object of seconds: what importing took, and what the work took
(quant_pre_process, reading, quantize_static, the file). 'ranges' writes the smallest and largest element of each tensor.
"""
import json
import os
import pathlib
import sys
import time

started = time.perf_counter()
import onnx  # before onnxruntime: both register the operators' schemas
import numpy
import onnxruntime
from onnxruntime.quantization import (CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType,
                                      create_calibrator, quantize_static)
from onnxruntime.quantization.shape_inference import quant_pre_process

imported = time.perf_counter()
MEAN = numpy.array([0.485, 0.456, 0.406], numpy.float32)
DEVIATION = numpy.array([0.229, 0.224, 0.225], numpy.float32)


class Images(CalibrationDataReader):
    """Batches of one image."""

    def __init__(self, model, path, count):
        self.name = onnx.load(model, load_external_data=False).graph.input[0].name
        header = numpy.fromfile(path, ">i4", 5)
        self.bytes = numpy.memmap(path, numpy.uint8, "r", 20, tuple(header[1:]))[:count]
        self.next = 0

    def get_next(self):
        if self.next == len(self.bytes):
            return None
        image = (self.bytes[self.next].astype(numpy.float32) / 255 - MEAN) / DEVIATION
        self.next += 1
        return {self.name: numpy.ascontiguousarray(image.transpose(2, 0, 1)[None])}


def quantize(model, images, count, out, method):
    prepared = out + ".prepared"
    quant_pre_process(model, prepared)
    quantize_static(prepared, out, Images(model, images, int(count)), per_channel=True, quant_format=QuantFormat.QDQ,
                    activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
                    calibrate_method=CalibrationMethod.Entropy if method == "entropy" else CalibrationMethod.MinMax)
    os.remove(prepared)
    print(json.dumps({"import": imported - started, "work": time.perf_counter() - imported}))


def ranges(model, images, count, out):
    prepared, augmented = out + ".prepared.onnx", out + ".augmented.onnx"
    quant_pre_process(model, prepared)
    calibrator = create_calibrator(pathlib.Path(prepared), [], augmented_model_path=augmented)
    calibrator.collect_data(Images(model, images, int(count)))
    found = calibrator.compute_data()
    os.remove(prepared)
    os.remove(augmented)
    pathlib.Path(out).write_text(json.dumps(
        {name: [numpy.asarray(end).item() for end in data.range_value] for name, data in found.items()}))


if __name__ == "__main__":
    {"quantize": quantize, "ranges": ranges}[sys.argv[1]](*sys.argv[2:])
