"""What a killed training needs to go on, bit for bit.

Begin with `checkpoint`; `fingerprint` names a configuration, `stop_signals` ends a step cleanly.
"""
