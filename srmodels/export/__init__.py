"""Exports a generator to other formats.

Begin with `export`; `onnx_and_pt2` writes ONNX and pt2, `model_folder` and `model_card` write a
folder to publish.
"""
