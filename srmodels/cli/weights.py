"""The command `srmodels weights`: which weights there are, and what they were trained for."""

from pathlib import Path

import typer

from srmodels.machine import repository

_PATTERN = "weights/*.safetensors"


def trained_for(name: str, path: Path) -> str:
    """The pictures that weights were trained for; `name` is what --weights was given."""
    from srmodels.export.provenance import provenance_of
    from srmodels.pretrained.generators import PUBLIC

    if name in PUBLIC:
        return PUBLIC[name].trained_for
    origin = provenance_of(path) if path.is_file() else None
    if origin is None:
        return "pictures that the file does not name"
    kind = "blurred, noisy and compressed" if origin.has_degradation else "sharp and uncompressed"
    photos = origin.about or origin.photos or "unknown photographs"
    return f"{kind} pictures (recipe {origin.recipe}, preset {origin.preset}, on {photos})"


def weights() -> None:
    """List the weights for --weights: public ones by name, and those trained here."""
    from srmodels import snapshot
    from srmodels.errors import WeightsError
    from srmodels.pretrained.generators import PUBLIC
    from srmodels.pretrained.packages import installed
    from srmodels.pretrained.weights import cached_path

    for name, public in PUBLIC.items():
        here = cached_path(name).is_file() or installed(public.weights)
        typer.echo(f"{name}{'' if here else f'   (first: srmodels download {name})'}")
        typer.echo(
            f"  {public.network} x{public.scale}, {public.parameters:,} parameters, "
            f"{public.license}, {public.source}"
        )
        typer.echo(f"  for {public.trained_for}")
    root = repository()
    in_root = Path.cwd().resolve() == root.resolve()
    for path in sorted(root.glob(_PATTERN)):
        shown = path.relative_to(root) if in_root else path  # a path that --weights takes from here
        try:
            found = snapshot.load(path)
        except WeightsError as error:
            typer.echo(f"{shown}\n  cannot be used: {error}")
            continue
        if not hasattr(found.network, "scale"):  # a discriminator, for fine-tuning
            continue
        typer.echo(shown)
        count = sum(parameter.numel() for parameter in found.network.parameters())
        typer.echo(f"  {found.name} x{found.network.scale}, {count:,} parameters")
        typer.echo(f"  for {trained_for(str(path), path)}")
