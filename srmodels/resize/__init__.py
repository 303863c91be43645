"""MATLAB's bicubic, the protocol's resize: `tensors` for batches, `images` for uint8 pictures."""
