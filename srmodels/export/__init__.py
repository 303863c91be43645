"""Exports a generator to other formats.

Begin with `export`; `torch_export` writes ONNX and pt2, `model_folder` and `model_card` write a
folder to publish.
"""
