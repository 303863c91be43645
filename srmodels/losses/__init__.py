"""Loss functions: tensors in, a scalar out; begin with `pixel`."""
