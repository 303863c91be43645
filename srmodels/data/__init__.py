"""From photographs to batches, in the order in which a photograph passes through.

- Sets: `sets`, `definition`, `cache`, `download` (with `transfer` and `connection`), `unpack`,
  `bundled`.
- The table of photographs: `listing`, `thumbnail`, `glance`, `likeness`, `split`, `folders`,
  `collect`, `photos`.
- Decoding, `decode` being the door: `kinds` chooses the reader; `bitmap` (with `png`, `jpeg`,
  `jpeg2000`, `sixteen_bit`), `heif` and `raw` read; `colour` and `profile` make upright sRGB.
- Patches: `extract` runs `worker` over tasks in `pool` (`processes` or `cluster`), `diary` and
  `journal` remember; `cut`, `sharpness`, `manifest`.
- The store: `shard_files`, `shard_writer`, `npy`, `compact`, `index`, `shards`, `contact_sheet`.
- Batches: `source`, `unpaired`, `symmetry`; `degradation` makes LR on the device.
"""
