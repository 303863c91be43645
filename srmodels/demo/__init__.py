"""The web demo (Gradio): upscale a photograph in the browser.

Begin with `server`; `page` is the layout, `events` what buttons do, `jobs` the work in a process.
"""
