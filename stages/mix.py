"""Lists the files of one member of a mix, so that a change in it reruns the stage `photos`."""

import csv
import sys
from pathlib import Path

from srmodels.data.datasets.catalog import MIX, members_of
from stages import cli_errors


@cli_errors
def main() -> None:
    """Runs the stage for the member that the command line names."""
    data, name = Path("data"), sys.argv[1]
    folder = data / members_of(data)[name]
    table = data / MIX / f"{name}.csv"
    with table.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "bytes", "changed"])
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            stat = path.stat()
            writer.writerow([path.relative_to(folder).as_posix(), stat.st_size, stat.st_mtime_ns])


if __name__ == "__main__":
    main()
