"""MATLAB's bicubic resize: `tensors` for float batches, `images` for uint8 images."""
