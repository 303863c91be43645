"""A trained generator in the formats of other programs.

Begin with `export`; `torch_export` makes ONNX and pt2, `model_card` and `model_folder` a
repository.
"""
