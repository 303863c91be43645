"""The page's layout and its connections to the event handlers. Gradio is imported here."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from srmodels.demo.events import INPUT, Events, report_errors
from srmodels.demo.session import CROP_SIDE
from srmodels.demo.types import GeneratorFile, Limits

_MAX_QUEUE = 32
_MAX_SCALE = 8
_FORMATS = ("PNG", "JPEG", "WebP")
_FULL_HEIGHT = 560  # pixels
_VIEW: dict[str, Any] = {"show_label": False, "interactive": False, "buttons": []}
_PRIVATE: dict[str, Any] = {"api_visibility": "private"}
CSS = f"""
.gradio-container {{ max-width: 1240px !important; margin: auto; }}
footer {{ display: none !important; }}
.view {{ width: {CROP_SIDE}px; min-width: 0 !important; flex: none !important; }}
.view .block {{ border-width: 0 !important; border-radius: 0; padding: 0; }}
#limits *, #about *, #trained-for * {{ color: var(--neutral-500); font-size: var(--text-sm); }}
#table table {{ width: 100%; display: table; font-variant-numeric: tabular-nums; }}
#table table, #table tr, #table th, #table td {{
  border: none; border-bottom: 1px solid var(--border-color-primary); padding: 6px 8px;
}}
"""


def theme() -> gr.themes.Base:
    """Grey tones and the browser's system fonts."""
    return gr.themes.Base(
        primary_hue="slate",
        secondary_hue="slate",
        neutral_hue="slate",
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )


class _Layout:
    """The components, created in their order on the page."""

    def __init__(self, generators: Sequence[GeneratorFile], limits: Limits, text: str) -> None:
        gr.Markdown("# srmodels\nUpscale a photograph.")
        with gr.Row():
            with gr.Column(scale=1, min_width=280):
                self._add_inputs(generators, limits.max_samples)
            # the outer column keeps its place while the inner one is hidden
            with gr.Column(scale=3, min_width=640), gr.Column(visible=False) as self.results:
                self._add_views()
                self.table = gr.Markdown(elem_id="table")
                label = "Download the full images"
                self.files = gr.File(label=label, file_count="multiple", interactive=False)
        gr.Markdown(text, elem_id="limits")

    def _add_inputs(self, generators: Sequence[GeneratorFile], max_samples: int) -> None:
        labels = [generator.label for generator in generators]
        self.file = gr.File(label="Photograph, also HEIC or RAW", height=140)
        self.preview = gr.Image(visible=False, elem_id="preview", **_VIEW)
        self.about = gr.Markdown(elem_id="about")
        self.generator = gr.Dropdown(labels, value=labels[0], label="Generator")
        self.other = gr.Dropdown([INPUT, *labels], value=INPUT, label="Compare with")
        first = generators[0]
        self.trained_for = gr.Markdown(f"Trained for {first.trained_for}.", elem_id="trained-for")
        self.scale = gr.Slider(1, _MAX_SCALE, 4, step=0.5, label="Scale")
        self.format = gr.Radio(_FORMATS, value=_FORMATS[0], label="Format")
        self.strength = gr.Slider(
            0, 1, 1, step=0.1, label="Strength: less is smoother", visible=bool(first.pretrained)
        )
        self.samples = gr.Slider(
            0, max_samples, 0, step=1, label="Samples", visible=first.has_samples
        )
        with gr.Row():
            self.upscale = gr.Button(
                "Upscale", variant="primary", elem_id="upscale", interactive=False
            )
            self.stop = gr.Button("Stop", elem_id="stop", min_width=80)
        self.status = gr.Markdown(elem_id="status", height=24)

    def _add_views(self) -> None:
        with gr.Tab("Full resolution"):
            with gr.Row():
                with gr.Column(elem_classes="view"):
                    self.names = gr.Markdown()
                    self.crop = gr.ImageSlider(
                        height=CROP_SIDE, max_height=CROP_SIDE, elem_id="crop", **_VIEW
                    )
                with gr.Column(elem_classes="view"):
                    gr.Markdown("bicubic")
                    self.bicubic = gr.Image(height=CROP_SIDE, elem_id="bicubic", **_VIEW)
            with gr.Row():
                self.x = gr.Slider(0, 100, value=50, step=1, label="Percent from the left")
                self.y = gr.Slider(0, 100, value=50, step=1, label="Percent from the top")
        with gr.Tab("Full image"):
            self.full = gr.ImageSlider(
                height=_FULL_HEIGHT, max_height=_FULL_HEIGHT, elem_id="full", **_VIEW
            )
        with gr.Tab("Samples", visible=False) as self.samples_tab:
            self.gallery = gr.Gallery(show_label=False, height="auto", columns=2, buttons=[])


def _connect(page: _Layout, events: Events) -> None:
    files = [generator.path for generator in events.generators.values()]
    position = [page.x, page.y]
    crops = [page.crop, page.bicubic, page.gallery, page.samples_tab]
    disabled = page.file.change(
        lambda: gr.update(interactive=False), None, [page.upscale], queue=False, **_PRIVATE
    )
    disabled.then(
        report_errors(events.open_photo, files),
        [page.file],
        [page.preview, page.about, page.results, page.upscale],
        concurrency_id="preview",
        show_progress_on=[page.about],
        **_PRIVATE,
    )
    choose = report_errors(events.choose_generator, files)
    shown = [page.trained_for, page.samples, page.strength]
    page.generator.change(choose, [page.generator], shown, queue=False, **_PRIVATE)
    results = [page.results, page.names, *crops, page.full, page.table, page.files]
    run = page.upscale.click(
        report_errors(events.upscale, files),
        [page.generator, page.other, page.scale, page.format, page.strength, page.samples],
        [*results, *position, page.status],
        concurrency_limit=_MAX_QUEUE,  # the worker runs one at a time and tells the others
        show_progress_on=[page.status],
        **_PRIVATE,
    )
    page.stop.click(report_errors(events.stop, files), queue=False, cancels=[run], **_PRIVATE)
    move = report_errors(events.move_crop, files)
    moves = [page.x.release, page.y.release]
    gr.on(moves, move, position, crops, concurrency_limit=4, **_PRIVATE)
    click = report_errors(events.click_preview, files)
    clicked = page.preview.select(click, None, position, queue=False, **_PRIVATE)
    clicked.success(move, position, crops, concurrency_limit=4, **_PRIVATE)


def build_page(events: Events, *, text: str, idle_seconds: int) -> gr.Blocks:
    """Builds the page; `text` is shown below it, Gradio deletes files after `idle_seconds`."""
    blocks = gr.Blocks(title="srmodels", analytics_enabled=False, delete_cache=(60, idle_seconds))
    with blocks:
        _connect(_Layout(list(events.generators.values()), events.limits, text), events)
        blocks.unload(events.close)
    blocks.queue(api_open=False, max_size=_MAX_QUEUE, default_concurrency_limit=1)
    return blocks
