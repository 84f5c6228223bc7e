"""A sweep as one page for people, ``report.html``: no network, no other file, light and dark.

    python -m callbacks.report FOLDER… [--output report.html]

- ``sweeps`` reads folders of sweeps and runs
- ``curves`` which points make a curve, what a curve is called, and in what curves differ
- ``history`` training curves, from the CSV logger's files
- ``pictures`` cells of quantizers, decoded images
- ``facts`` time, versions and hardware, from ``provenance.json``
- ``page`` puts it all into the template (``page.html``, ``style.css``, ``*.js``)
"""

from callbacks.report.page import write_report

__all__ = ["write_report"]
