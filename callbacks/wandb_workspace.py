"""``python -m callbacks.wandb_workspace``: the project's dashboard on a W&B server, made once, when online.

The workspace has the curves of all sweeps, points as scatter plots, and training curves, with runs grouped by sweep;
``--report`` makes the same as a report, a page that can be shared. Runs get there by ``wandb sync``, or at once with
``WANDB_MODE=online``.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import urllib.error
import urllib.request
from typing import Any

from callbacks.wandb_run import has_login

__all__ = ["main", "report", "workspace"]

_PATIENCE = 10  # seconds to wait for a server


def main(arguments: list[str] | None = None) -> int:
    """Makes the workspace or the report and says where it is.

    Args:
        arguments: the command line; None: ``sys.argv``.

    Returns:
        The exit code: 0, or 2 after one sentence on what is missing. It never asks, and never waits for long.
    """
    parser = argparse.ArgumentParser(prog="python -m callbacks.wandb_workspace", description=__doc__)
    parser.add_argument("--project", default="ltc", help="W&B project (ltc)")
    parser.add_argument("--entity", help="user or team that owns it; default: who is logged in")
    parser.add_argument("--report", action="store_true", help="make a report instead of a workspace")
    options = parser.parse_args(arguments)
    try:
        _check_online()
        print(_save(options.project, options.entity, options.report))
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0


def workspace(entity: str, project: str) -> Any:
    """The project's workspace, not yet saved.

    Args:
        entity: user or team that owns the project.
        project: W&B project.
    """
    import wandb_workspaces.workspaces as ws
    from wandb_workspaces import expr

    return ws.Workspace(
        entity=entity,
        project=project,
        name="Rate and distortion",
        sections=[
            ws.Section(name="Sweeps", panels=_sweeps(), is_open=True, pinned=True),
            ws.Section(name="Points", panels=_points(), is_open=True),
            ws.Section(name="Training", panels=_training(), is_open=False),
        ],
        runset_settings=ws.RunsetSettings(
            groupby=[expr.Metric("group")],
            pinned_columns=["summary:rd/rate", "summary:rd/distortion", "summary:rd/gap"],
        ),
    )


def report(entity: str, project: str) -> Any:
    """The project's report, not yet saved.

    Args:
        entity: user or team that owns the project.
        project: W&B project.
    """
    import wandb_workspaces.reports.v2 as wr

    sweeps = wr.Runset(entity=entity, project=project, name="Sweeps", filters="JobType = 'sweep'")
    points = wr.Runset(entity=entity, project=project, name="Points", filters="JobType = 'point'", groupby=["group"])
    return wr.Report(
        entity=entity,
        project=project,
        title="Rate and distortion",
        description="RD curves of lattice transform coders against R(D).",
        width="fluid",
        blocks=[
            wr.H2(text="Curves of each sweep"),
            wr.P(text="Rates and gaps are in bits per symbol, distortion is in dB; the bound is the source's R(D)."),
            wr.PanelGrid(runsets=[sweeps], panels=_sweeps()),
            wr.H2(text="Points of all sweeps"),
            wr.PanelGrid(runsets=[points], panels=_points()),
            wr.H2(text="Training"),
            wr.PanelGrid(runsets=[points], panels=_training()),
        ],
    )


def _sweeps() -> list[Any]:
    """What the run of a sweep logs (see ``callbacks.wandb_sweep``): its charts, its picture."""
    import wandb_workspaces.reports.v2 as wr

    titles = {"rd_curve": "distortion (dB) over rate", "gap_curve": "gap to R(D) over rate (bits per symbol)"}
    charts = [
        wr.CustomChart(
            query={"summaryTable": {"tableKey": f"{key}_table"}},
            chart_name="wandb/lineseries/v0",
            chart_fields={field: field for field in ("step", "lineKey", "lineVal")},
            chart_strings={"title": title, "xname": "rate (bits per symbol)"},
            layout=wr.Layout(x=12 * number, w=12, h=10),
        )
        for number, (key, title) in enumerate(titles.items())
    ]
    return [*charts, wr.MediaBrowser(title="RD curves", media_keys=["rd_curves"], layout=wr.Layout(y=10, w=24, h=10))]


def _points() -> list[Any]:
    import wandb_workspaces.reports.v2 as wr

    rate = wr.SummaryMetric("rd/rate")
    plots = {"distortion over rate": ("rd/distortion", True), "gap to R(D) over rate": ("rd/gap", False)}
    return [
        wr.ScatterPlot(
            title=title, x=rate, y=wr.SummaryMetric(key), log_y=log, layout=wr.Layout(x=12 * number, w=12, h=10)
        )
        for number, (title, (key, log)) in enumerate(plots.items())
    ]


def _training() -> list[Any]:
    import wandb_workspaces.reports.v2 as wr

    return [
        wr.LinePlot(title=key, x="trainer/global_step", y=[f"train/{key}"], layout=wr.Layout(x=8 * number, w=8, h=8))
        for number, key in enumerate(("loss", "rate", "distortion"))
    ]


def _check_online() -> None:
    """That there is the package, a connection that is wanted, a login and a server.

    Raises:
        ValueError: with what is missing and what to do.
    """
    if importlib.util.find_spec("wandb_workspaces") is None:
        raise ValueError("workspaces are made by the package wandb-workspaces: pip install wandb-workspaces")
    mode = os.environ.get("WANDB_MODE") or "online"
    if mode not in ("online", "run", "shared"):
        raise ValueError(f"a workspace is on a server, but WANDB_MODE={mode}: set WANDB_MODE=online")
    import wandb

    server = os.environ.get("WANDB_BASE_URL") or wandb.Settings().base_url
    if not has_login(server):
        raise ValueError(f"there is no login for {server}: run `wandb login`, or set WANDB_API_KEY")
    try:
        urllib.request.urlopen(server, timeout=_PATIENCE).close()
    except urllib.error.HTTPError:
        pass  # a server that answers
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise ValueError(f"{server} cannot be reached ({reason}); runs stay on disk until `wandb sync`") from error


def _save(project: str, entity: str | None, as_report: bool) -> str:
    """Saves it under the server's eyes, and returns its address."""
    import wandb

    os.environ.setdefault("WANDB_SILENT", "true")
    # Where a login is refused, wandb would ask for another one.
    os.environ.setdefault("WANDB_LOGIN_TIMEOUT", str(_PATIENCE))
    try:
        entity = entity or wandb.Api(timeout=_PATIENCE).default_entity
        if not entity:
            raise ValueError("the login has no default entity: name one with --entity")
        made = (report if as_report else workspace)(entity, project)
        made.save()
        return str(made.url)
    except ValueError:
        raise
    except Exception as error:  # whatever the server refuses, its words say it
        raise ValueError(f"the server refused: {error}") from error


if __name__ == "__main__":
    sys.exit(main())
