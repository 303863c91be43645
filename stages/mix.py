"""Lists the files of one member of a mix, so that a change in it reruns the stage `photos`."""

import sys
from pathlib import Path

from srmodels.atomic import write_table
from srmodels.data.datasets.catalog import MIX, members_of
from stages import cli_errors


@cli_errors
def main() -> None:
    """Runs the stage for the member that the command line names."""
    data, name = Path("data"), sys.argv[1]
    folder = data / members_of(data)[name]
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    rows = [
        (path.relative_to(folder).as_posix(), path.stat().st_size, path.stat().st_mtime_ns)
        for path in files
    ]
    write_table(data / MIX / f"{name}.csv", ["file", "bytes", "changed"], rows)


if __name__ == "__main__":
    main()
