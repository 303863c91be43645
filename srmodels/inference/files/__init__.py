"""People's files, enlarged: which ones, by how much, written where.

Begin with `upscale_files`; `plan` decides inputs and outputs, `enlarge` does one picture.
"""
