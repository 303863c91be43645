"""Networks: tensors in, tensors out; one network a module, found by the module's name."""
