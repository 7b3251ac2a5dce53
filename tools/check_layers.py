#!/usr/bin/env python3
"""Checks the direction of includes: who may include whom, and where foreign headers may appear.

usage: check_layers.py [ROOT]      exit code 1 and a line per breach; the tables are the rule.
"""
import pathlib
import re
import sys

# folder under src/: the folders it may include besides itself and base
LAYERS = {
    "base": "",
    "kernels": "",
    "graph": "kernels",
    "ops": "graph",
    "networks": "graph",
    "engine": "graph ops kernels",
    "data": "graph",
    "passes": "graph ops engine",
    "dialects": "graph ops kernels",
    "quant": "graph ops engine data kernels dialects",
    "train": "graph ops engine data quant kernels",
    "formats": "graph ops kernels",
    "runtime": "graph kernels formats",
    "eval": "graph data engine dialects quant runtime kernels",
    "report": "graph eval",
    "api": "kernels graph ops networks engine data passes dialects quant train formats runtime eval report",
}

# beginning of a foreign header: beginnings of the places (under src/, or cli/) that may include it
FOREIGN = {
    "ATen/": "ops/ engine/ dialects/ quant/ train/ eval/ api/foreign",
    "c10/": "ops/ engine/ dialects/ quant/ train/ eval/",
    "torch/": "train/ quant/rounding_step quant/fake_quantize quant/training_simulation ops/clip_in_training",
    "torch/headeronly/": "eval/ api/",
    "dnnl": "ops/ engine/",
    "oneapi/dnnl/": "ops/ engine/",
    "hwy/": "kernels/",
    "onnx/": "formats/onnx/",
    "google/protobuf/": "formats/onnx/",
    "tensorflow/": "formats/tflite/ runtime/tflite",
    "flatbuffers/": "formats/tflite/ runtime/tflite",
    "onnxruntime": "runtime/onnxruntime",
    "jpeglib.h": "data/",
    "jerror.h": "data/",
    "png.h": "data/",
    "zlib.h": "data/",
    "yaml-cpp/": "api/",
    "nlohmann/": "report/ runtime/ api/ cli/ formats/onnx/table_json",
    "CLI/": "cli/",
}

# besides the standard library's (which have neither dot nor slash), anywhere
SYSTEM = ("sys/", "unistd.h", "fcntl.h", "signal.h", "poll.h", "sched.h", "dlfcn.h")

# the other public headers are for api, report, cli and one another
PUBLIC_FOR_ALL = ("octet/error.h", "octet/progress.h")
BANNED = re.compile(r"utils|helpers|common|misc|manager")
INCLUDE = re.compile(r'\s*#\s*include\s*[<"]([^>"]+)[>"]')
SOURCES = (".h", ".cpp", ".inc")


def breach(place, header):
    """Why `place` ("graph/node.cpp", "cli/main.cpp", "octet/octet.h") may not include `header`."""
    folder, target = place.split("/")[0], header.split("/")[0]
    if target == "octet":
        if header not in PUBLIC_FOR_ALL and folder not in ("api", "report", "cli", "octet"):
            return f"of the public headers, {folder} may include {' '.join(PUBLIC_FOR_ALL)} only"
    elif target in LAYERS and "/" in header:
        allowed = {folder, "base", *LAYERS[folder].split()} if folder in LAYERS else ()
        if target not in allowed:
            return f"{folder} may not include {target}"
    elif not header.startswith(SYSTEM) and re.search(r"[./]", header):
        rows = [places for start, places in FOREIGN.items() if header.startswith(start)]
        if not rows and folder == "cli" and (target == "cli" or "/" not in header):
            return None  # a header of its own
        if not rows:
            return "neither folder/file.h relative to src/, nor a foreign header that is known"
        if not any(place.startswith(tuple(places.split())) for places in rows):
            return f"only {' '.join(rows)} may include this header"
    return None


def check(root):
    for top, prefix in (("src", ""), ("cli", "cli/"), ("include/octet", "octet/")):
        for file in sorted((root / top).rglob("*")):
            inner = file.relative_to(root / top)
            if top == "src" and file.is_file() and inner.name != "CMakeLists.txt":
                if len(inner.parts) < 2 or inner.parts[0] not in LAYERS:
                    yield file, 1, f"no folder of src/ that is known: {' '.join(LAYERS)}"
                    continue
            if file.suffix not in SOURCES or not file.is_file():
                continue
            for number, line in enumerate(file.read_text().splitlines(), 1):
                match = INCLUDE.match(line)
                if match and (why := breach(prefix + inner.as_posix(), match[1])):
                    yield file, number, f"includes {match[1]}: {why}"
    for top in ("src", "cli", "include", "tests", "bench", "tools", "cmake"):
        for file in sorted((root / top).rglob("*")):
            if word := BANNED.search(file.name.lower()):
                yield file, 1, f'"{word[0]}" in a name says nothing: name it after what it does'


if __name__ == "__main__":
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1])
    breaches = [f"{f.relative_to(root)}:{n}: {what}" for f, n, what in check(root)]
    print("\n".join(breaches) or "layers: all includes point downwards")
    sys.exit(bool(breaches))
