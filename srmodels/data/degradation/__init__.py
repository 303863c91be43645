"""Second-order degradation of HR to LR on the device (Real-ESRGAN); start with `degrade`."""
