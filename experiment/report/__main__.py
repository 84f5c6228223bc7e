"""``python -m experiment.report``: rebuilds a sweep's report, or lays several sweeps over each other."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from experiment.report.page import write_report
from ltc.codec.ends import check_output

__all__ = ["main"]


def main(arguments: list[str] | None = None, prog: str = "python -m experiment.report") -> int:
    """Writes the report and says where it is.

    Args:
        arguments: the command line; None: ``sys.argv``.
        prog: how the command calls itself.

    Returns:
        The exit code: 0, or 2 after one sentence on what is wrong.
    """
    parser = argparse.ArgumentParser(prog=prog, description=__doc__)
    parser.add_argument("folders", nargs="+", metavar="FOLDER", type=Path, help="a sweep's folder, or a run's")
    parser.add_argument("--output", type=Path, help="where the page goes; default: report.html in the only folder")
    options = parser.parse_args(arguments)
    output: Path | None = options.output
    if output is None:
        output = (options.folders[0] if len(options.folders) == 1 else Path()) / "report.html"
    try:
        if (nothing := next((folder for folder in options.folders if not folder.is_dir()), None)) is not None:
            raise ValueError(f"{nothing} is no folder; a report is made of folders that run.py has left.")
        check_output(str(output), ".html", "a report", [])
        write_report(options.folders, output)
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    print(f"Report: {output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
