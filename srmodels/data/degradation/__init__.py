"""Second-order degradation of HR to LR on the device (Real-ESRGAN, arXiv:2107.10833).

Start with `degrade`; `blur`, `noise` and `jpeg` are its steps.
"""
