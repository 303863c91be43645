"""The page: what is on it, and which event follows what. Gradio is imported here."""

from collections.abc import Sequence

import gradio as gr

from srmodels.demo.events import INPUT, Events, report_errors
from srmodels.demo.session import WINDOW
from srmodels.demo.types import Choice, Limits

__all__ = ["CSS", "build", "theme"]

_MOST_WAITING = 32
_TALL = 560  # pixels, of the whole picture
CSS = f"""
.gradio-container {{ max-width: 1240px !important; margin: auto; }}
footer {{ display: none !important; }}
.view {{ width: {WINDOW}px; min-width: 0 !important; flex: none !important; }}
.view .block {{ border-width: 0 !important; border-radius: 0; padding: 0; }}
#terms *, #about * {{ color: var(--neutral-500); font-size: var(--text-sm); }}
#facts table {{ width: 100%; display: table; font-variant-numeric: tabular-nums; }}
#facts table, #facts tr, #facts th, #facts td {{
  border: none; border-bottom: 1px solid var(--border-color-primary); padding: 6px 8px;
}}
"""


def theme() -> gr.themes.Base:
    """Calm, and with the fonts of whoever looks."""
    return gr.themes.Base(
        primary_hue="slate",
        secondary_hue="slate",
        neutral_hue="slate",
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )


class _Layout:
    """The components, in the order in which they are on the page."""

    def __init__(self, choices: Sequence[Choice], rules: Limits, *, terms: str) -> None:
        gr.Markdown("# srmodels\nA photograph goes in, a larger one comes out.")
        with gr.Row():
            with gr.Column(scale=1, min_width=280):
                self._orders(choices, rules)
            # the outer column keeps its place while the inner one is hidden
            with gr.Column(scale=3, min_width=640), gr.Column(visible=False) as self.results:
                self._views()
                self.facts = gr.Markdown(elem_id="facts")
                self.files = gr.File(
                    label="To download: whole, as PNG", file_count="multiple", interactive=False
                )
        gr.Markdown(terms, elem_id="terms")

    def _orders(self, choices: Sequence[Choice], rules: Limits) -> None:
        labels = [choice.label for choice in choices]
        self.file = gr.File(label="Photograph, also HEIC or RAW", height=140)
        self.preview = gr.Image(
            show_label=False, interactive=False, visible=False, buttons=[], elem_id="preview"
        )
        self.about = gr.Markdown(elem_id="about")
        self.label = gr.Dropdown(labels, value=labels[0], label="Generator")
        self.rival = gr.Dropdown([INPUT, *labels], value=INPUT, label="Compare with")
        self.samples = gr.Slider(
            0, rules.max_samples, value=0, step=1, label="Samples", visible=choices[0].has_samples
        )
        with gr.Row():
            self.go = gr.Button("Enlarge", variant="primary", elem_id="go")
            self.halt = gr.Button("Stop", elem_id="halt", min_width=80)
        self.status = gr.Markdown(elem_id="status", height=24)

    def _views(self) -> None:
        with gr.Tab("Pixel for pixel"):
            with gr.Row():
                with gr.Column(elem_classes="view"):
                    self.sides = gr.Markdown()
                    self.window = _slider("window", height=WINDOW)
                with gr.Column(elem_classes="view"):
                    gr.Markdown("bicubic")
                    self.bicubic = gr.Image(
                        height=WINDOW,
                        show_label=False,
                        interactive=False,
                        buttons=[],
                        elem_id="bicubic",
                    )
            with gr.Row():
                self.across = gr.Slider(0, 100, value=50, step=1, label="Percent from the left")
                self.down = gr.Slider(0, 100, value=50, step=1, label="Percent from the top")
        with gr.Tab("All of it"):
            self.whole = _slider("whole", height=_TALL)
        with gr.Tab("Samples", visible=False) as self.drawing:
            self.drawn = gr.Gallery(show_label=False, height="auto", columns=2, buttons=[])


def _slider(name: str, *, height: int) -> gr.ImageSlider:
    return gr.ImageSlider(
        height=height,
        max_height=height,
        show_label=False,
        interactive=False,
        buttons=[],
        elem_id=name,
    )


def _connect(on: _Layout, events: Events, choices: Sequence[Choice]) -> None:
    told = report_errors([choice.path for choice in choices])
    views = [on.window, on.bicubic, on.drawn, on.drawing]
    place = [on.across, on.down]
    on.file.change(
        told(events.look),
        [on.file],
        [on.preview, on.about, on.results],
        concurrency_id="look",
        show_progress_on=[on.about],
        api_visibility="private",
    )
    on.label.change(
        told(events.choose), [on.label], [on.samples], queue=False, api_visibility="private"
    )
    run = on.go.click(
        told(events.enlarge),
        [on.label, on.rival, on.samples],
        [on.results, on.sides, *views, on.whole, on.facts, on.files, *place, on.status],
        concurrency_id="enlarge",
        show_progress_on=[on.status],
        api_visibility="private",
    )
    on.halt.click(told(events.stop), queue=False, cancels=[run], api_visibility="private")
    move = told(events.move)
    gr.on(
        [slider.release for slider in place],
        move,
        place,
        views,
        concurrency_limit=4,
        api_visibility="private",
    )
    aimed = on.preview.select(told(events.aim), None, place, queue=False, api_visibility="private")
    aimed.success(move, place, views, concurrency_limit=4, api_visibility="private")


def build(
    choices: Sequence[Choice], events: Events, rules: Limits, *, terms: str, keep: int
) -> gr.Blocks:
    """Makes the page.

    Args:
        choices: The generators.
        events: What its events do.
        rules: What visitors may do.
        terms: A sentence about the limits, to be shown.
        keep: Seconds until temporary files are deleted.
    """
    demo = gr.Blocks(title="srmodels", analytics_enabled=False, delete_cache=(60, keep))
    with demo:
        _connect(_Layout(choices, rules, terms=terms), events, choices)
        demo.unload(events.leave)
    demo.queue(api_open=False, max_size=_MOST_WAITING, default_concurrency_limit=1)
    return demo
