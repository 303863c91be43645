"""Picture files, enlarged.

Begin with `upscale_files`. `plan` maps inputs to outputs, `enlarge` does one picture.
"""
