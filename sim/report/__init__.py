"""One HTML file that tells a run: our own few lines of SVG, readable without a network, by day and by night."""

from .page import compare_page, page, sweep_page

__all__ = ["compare_page", "page", "sweep_page"]
