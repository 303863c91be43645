"""A visitor's photograph, results and views of them, in a temporary folder."""

import shutil
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from PIL import Image

from srmodels.demo import views
from srmodels.demo.jobs import ReadPhoto, UpscaleJob
from srmodels.demo.types import Choices, DecodedImage, GeneratorFile, Limits, Result
from srmodels.demo.worker import Place, Progress, Worker
from srmodels.errors import ConfigError, PhotoError, SrmodelsError

CROP_SIDE = 416  # pixels
_FULL_SIDE = 1000
_PREVIEW_SIDE = 640
_MISSING = "the picture: there is none (any more). Choose the file again."


@dataclass(slots=True)
class Session:
    """A visitor's photograph and results, in a temporary folder."""

    folder: Path
    stop: threading.Event = field(default_factory=threading.Event)  # stops the running job
    photo: DecodedImage | None = None
    results: tuple[Result, ...] = ()
    used: float = field(default_factory=time.monotonic)  # time of the last request

    def _stop_running_job(self) -> None:
        self.stop.set()
        self.stop = threading.Event()

    def clear(self) -> None:
        """Deletes the photograph and its results."""
        self.photo, self.results = None, ()
        shutil.rmtree(self.folder, ignore_errors=True)

    def open_photo(self, file: Path, worker: Worker, limits: Limits) -> str:
        """Copies and decodes a file; returns the path of a preview. Raises SrmodelsError."""
        self._stop_running_job()
        self.clear()
        copy = self.folder / "upload" / file.name
        copy.parent.mkdir(parents=True)
        try:
            # not moved: Gradio stores equal files once, and another session may use the same file
            shutil.copyfile(file, copy)
            job = ReadPhoto(
                file=copy, pixels=self.folder / "photo.npy", max_pixels=limits.max_pixels
            )
            photo = worker.run(job, stop=self.stop)
        except FileNotFoundError:
            raise PhotoError(_MISSING) from None
        except SrmodelsError:
            self.clear()
            raise
        self.photo = photo
        return self._save_view(views.reduce_image(photo, side=_PREVIEW_SIDE), "preview", photo)

    def upscale(
        self,
        generators: Sequence[GeneratorFile],
        worker: Worker,
        limits: Limits,
        *,
        samples: int,
        choices: Choices,
        progress: Progress,
        place: Place | None = None,
    ) -> None:
        """Upscales the photograph and replaces the results. Raises SrmodelsError."""
        if self.photo is None or not self.photo.file.exists():
            raise PhotoError(_MISSING)
        if not 0 <= samples <= limits.max_samples:
            raise ConfigError(
                f"samples: out of range (got {samples}). Choose 0 to {limits.max_samples}."
            )
        self._stop_running_job()
        for result in self.results:
            result.image.file.unlink(missing_ok=True)
            result.image.pixels.unlink(missing_ok=True)
        self.results = ()
        job = UpscaleJob(
            file=self.photo.file,
            folder=self.folder,
            generators=tuple(generators),
            samples=samples,
            limits=limits,
            choices=choices,
        )
        self.results = worker.run(job, stop=self.stop, progress=progress, place=place)

    def _compared(self) -> tuple[DecodedImage, DecodedImage | None, DecodedImage]:
        """The photograph, the result to compare with (None: the photograph), and the result."""
        assert self.photo is not None, "there is a photograph"
        result, *others = (result.image for result in self.results if result.sample == 0)
        return self.photo, others[0] if others else None, result

    def crops(self, x: float, y: float) -> tuple[tuple[str, str], str, list[str]]:
        """Crops at full resolution around (x, y), both in [0, 1].

        Returns the paths of the slider's two images, of bicubic, and of each sample.
        """
        photo, other, result = self._compared()
        box = views.crop_box(result, x, y, side=CROP_SIDE)
        bicubic = views.resized_crop(photo, result, box, method=Image.Resampling.BICUBIC)
        method = Image.Resampling.BICUBIC if other else Image.Resampling.NEAREST
        left = views.resized_crop(other or photo, result, box, method=method)
        samples = [
            self._save_view(views.crop(sample.image, box), f"sample-{index}", sample.image)
            for index, sample in enumerate(self.results)
            if sample.sample
        ]
        pair = (
            self._save_view(left, "left", photo),
            self._save_view(views.crop(result, box), "right", result),
        )
        return pair, self._save_view(bicubic, "bicubic", photo), samples

    def full_images(self) -> tuple[str, str]:
        """The slider's two images, full but reduced."""
        photo, other, result = self._compared()
        left = other or photo
        return (
            self._save_view(
                views.reduce_to_match(left, result, side=_FULL_SIDE), "full-left", left
            ),
            self._save_view(views.reduce_image(result, side=_FULL_SIDE), "full-right", result),
        )

    def percent_of(self, pixel: tuple[int, int]) -> tuple[int, int]:
        """Position of a pixel (x, y) of the preview in percent."""
        if self.photo is None:
            return 50, 50
        height, width = views.fit_size(self.photo, _PREVIEW_SIDE)
        return round(100 * (pixel[0] + 0.5) / width), round(100 * (pixel[1] + 0.5) / height)

    def _save_view(self, view: Image.Image, name: str, image: DecodedImage) -> str:
        """Saves a view under a new name, since browsers cache by name; keeps the previous view."""
        saved = self.folder.glob(f"view-{name}-*.png")
        for old in sorted(saved, key=lambda path: path.stat().st_mtime)[:-1]:
            old.unlink()
        path = self.folder / f"view-{name}-{uuid4().hex}.png"
        view.save(path, compress_level=1, icc_profile=image.icc)
        return str(path)


class Sessions:
    """All sessions by Gradio's session hash; closed after `idle_seconds` without a request."""

    def __init__(self, folder: Path, *, idle_seconds: float) -> None:
        self._folder, self._idle_seconds = folder, idle_seconds
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> Session:
        """A session; a new one for an unknown key."""
        now = time.monotonic()
        for old in [k for k, s in self._sessions.items() if now - s.used > self._idle_seconds]:
            self.close(old)
        with self._lock:
            if key not in self._sessions:
                folder = Path(tempfile.mkdtemp(prefix="session-", dir=self._folder))
                self._sessions[key] = Session(folder)
            self._sessions[key].used = now
            return self._sessions[key]

    def close(self, key: str) -> None:
        """Stops a session's job and deletes its files."""
        with self._lock:
            session = self._sessions.pop(key, None)
        if session is not None:
            session.stop.set()
            session.clear()
