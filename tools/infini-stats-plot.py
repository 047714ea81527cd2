#!/usr/bin/python3
# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Draws what `infini-run --stats-json` wrote: gates, the growth of z, and the effective rank of M.

    infini-stats-plot stats.json out.png     ("-" is standard input; out may also be a .pdf or .svg)
    infini-stats-plot --check out.png        says whether it could draw that

`infini-run --stats-plot` calls it. Exit status: 0 good, 1 the user's error.
"""
import json
import os
import sys

ENDINGS = (".png", ".pdf", ".svg")
# A cell of a map has its number written in it up to so many.
MOST_NUMBERS = 160


class Refused(Exception):
    """The user's error."""


def load_matplotlib():
    try:
        import matplotlib
        matplotlib.use("Agg")
        import matplotlib.pyplot as pyplot
        return matplotlib, pyplot
    except ImportError as error:
        raise Refused(f"drawing needs matplotlib for {sys.executable}, which cannot be imported ({error}); install "
                      "the package python3-matplotlib, or run tools/setup.sh") from error


def check(out):
    load_matplotlib()
    if not out.lower().endswith(ENDINGS):
        raise Refused(f"expected a name that ends in {', '.join(ENDINGS)}, got '{out}'")
    folder = os.path.dirname(out) or "."
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK):
        raise Refused(f"cannot write '{out}': '{folder}' is not a folder that can be written")


# --------------------------------------------------------------------------------------------------------
# The numbers
# --------------------------------------------------------------------------------------------------------

def number(value):
    """null stands for what is not a number."""
    return float("nan") if value is None else float(value)


def series(layer, name):
    """One row a memory, one column a sample."""
    return [[number(value) for value in memory["series"][name]] for memory in layer["memories"]]


def middle(rows):
    """The mean, least, and most of each column, NaN left out."""
    columns = [[value for value in column if value == value] or [float("nan")] for column in zip(*rows)]
    return ([sum(column) / len(column) for column in columns], [min(column) for column in columns],
            [max(column) for column in columns])


def table(layers, key, name):
    """A row a layer, filled up with NaN where a layer has fewer heads."""
    rows = [[number(head[name]) for head in layer[key]] for layer in layers]
    width = max(map(len, rows))
    return [row + [float("nan")] * (width - len(row)) for row in rows]


# --------------------------------------------------------------------------------------------------------
# The picture
# --------------------------------------------------------------------------------------------------------

class Picture:
    def __init__(self, stats, matplotlib, pyplot):
        self.stats, self.layers = stats, stats["layers"]
        self.matplotlib, self.pyplot = matplotlib, pyplot
        # Neighbours among few layers should differ, and many should be in an order that can be seen.
        many = len(self.layers) > 8
        scale = pyplot.get_cmap("viridis")
        self.colors = [scale(0.92 * i / max(len(self.layers) - 1, 1)) if many or len(self.layers) > 4 else f"C{i}"
                       for i in range(len(self.layers))]

    def draw(self):
        count = len(self.layers)
        height = max(3.2, 0.34 * count + 1.6)
        figure, axes = self.pyplot.subplots(
            2, 2, figsize=(12.5, 4.4 + height), gridspec_kw={"height_ratios": [4.2, height]}, constrained_layout=True)
        few = "layer" if count == 1 else "layers"
        figure.suptitle(f"Memories after {self.stats['tokens']:,} tokens: {self.stats['segments']:,} segments of "
                        f"{self.stats['segment_length']:,}, {count} {few}", fontsize=13)
        self.growth(axes[0][0])
        self.ranks(axes[0][1])
        self.gates(figure, axes[1][0])
        self.rank_map(figure, axes[1][1])
        return figure

    def lines(self, axis, name):
        """The mean over a layer's heads, and from the least to the most."""
        tokens = self.stats["series_tokens"]
        single = len(tokens) == 1
        for layer, color in zip(self.layers, self.colors):
            rows = series(layer, name)
            mean, least, most = middle(rows)
            axis.plot(tokens, mean, color=color, linewidth=1.8, marker="o" if len(tokens) < 20 else None,
                      markersize=4, label=f"layer {layer['layer']}")
            if len(rows) > 1 and not single:
                axis.fill_between(tokens, least, most, color=color, alpha=0.14, linewidth=0)
        axis.set_xlabel("tokens in the memory")
        axis.xaxis.set_major_formatter(self.matplotlib.ticker.EngFormatter(sep=""))
        axis.grid(True, alpha=0.3)
        axis.legend(fontsize=8, ncol=1 if len(self.layers) <= 6 else 2 if len(self.layers) <= 16 else 3,
                    framealpha=0.85)

    def growth(self, axis):
        self.lines(axis, "z_norm")
        tokens = [t for t in self.stats["series_tokens"] if t > 0]
        ends = [value for layer in self.layers for row in series(layer, "z_norm") for value in row[-1:] if value > 0]
        if tokens and ends and max(tokens) > min(tokens):
            ticker = self.matplotlib.ticker
            axis.set_xscale("log")
            axis.set_yscale("log")
            for side in (axis.xaxis, axis.yaxis):
                side.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
                side.set_major_formatter(ticker.EngFormatter(sep=""))
                side.set_minor_formatter(ticker.NullFormatter())
            # From the middle of where the lines end.
            end = sorted(ends)[len(ends) // 2]
            axis.plot([min(tokens), max(tokens)], [end * min(tokens) / max(tokens), end], color="0.45",
                      linestyle=":", linewidth=1.4, label="proportional to tokens")
            axis.legend(fontsize=8, ncol=1 if len(self.layers) <= 6 else 2, framealpha=0.85)
        axis.set_ylabel("‖z‖, Euclidean norm")
        axis.set_title("Growth of the normaliser z (mean and range over heads)", fontsize=11)

    def ranks(self, axis):
        self.lines(axis, "effective_rank")
        full = max(layer["full_rank"] for layer in self.layers)
        axis.axhline(full, color="0.45", linestyle=":", linewidth=1.4)
        axis.annotate(f"full rank: {full}", (0.01, full), xycoords=("axes fraction", "data"), xytext=(0, -3),
                      textcoords="offset points", va="top", fontsize=8, color="0.3")
        axis.set_ylim(0, full * 1.05)
        axis.set_ylabel("effective rank, directions")
        axis.set_title("Effective rank of M (mean and range over heads)", fontsize=11)

    def heat(self, figure, axis, rows, form, low, high, label, heads):
        image = axis.imshow(rows, aspect="auto", cmap="cividis", vmin=low, vmax=high, interpolation="nearest")
        columns = len(rows[0])
        if columns * len(rows) <= MOST_NUMBERS and columns <= 16:
            for y, row in enumerate(rows):
                for x, value in enumerate(row):
                    if value == value:
                        bright = (value - low) / ((high - low) or 1) > 0.55
                        axis.text(x, y, form.format(value), ha="center", va="center", fontsize=8,
                                  color="black" if bright else "white")
        step = max(1, columns // 16)
        axis.set_xticks(range(0, columns, step))
        step = max(1, len(rows) // 24)
        axis.set_yticks(range(0, len(rows), step))
        axis.set_yticklabels([self.layers[i]["layer"] for i in range(0, len(rows), step)])
        axis.set_xlabel(heads)
        axis.set_ylabel("layer")
        figure.colorbar(image, ax=axis, label=label, pad=0.015)

    def gates(self, figure, axis):
        self.heat(figure, axis, table(self.layers, "heads", "gate"), "{:.2f}", 0.0, 1.0,
                  "σ(β): 0 local attention, 1 memory", "query head")
        channels = any(head["gate_min"] != head["gate_max"] for layer in self.layers for head in layer["heads"])
        axis.set_title("Gates" + (" (mean over channels)" if channels else ""), fontsize=11)

    def rank_map(self, figure, axis):
        full = max(layer["full_rank"] for layer in self.layers)
        self.heat(figure, axis, table(self.layers, "memories", "effective_rank"), "{:.1f}", 0.0, float(full),
                  "effective rank, directions", "key/value head")
        axis.set_title("Effective rank of M at the end", fontsize=11)


def draw(source, out):
    check(out)
    matplotlib, pyplot = load_matplotlib()
    import matplotlib.ticker
    try:
        if source == "-":
            stats = json.load(sys.stdin)
        else:
            with open(source, encoding="utf-8") as file:
                stats = json.load(file)
    except (OSError, ValueError) as error:
        raise Refused(f"cannot read '{source}': {error}") from error
    if not isinstance(stats, dict) or not stats.get("layers") or not stats.get("series_tokens"):
        raise Refused(f"'{source}' has no memories to draw; expected what infini-run --stats-json writes")
    figure = Picture(stats, matplotlib, pyplot).draw()
    # Under another name first: there completely, or not at all.
    temporary = f"{out}.{os.getpid()}.tmp"
    try:
        figure.savefig(temporary, dpi=130, format=os.path.splitext(out)[1][1:].lower())
        os.replace(temporary, out)
    except OSError as error:
        raise Refused(f"cannot write '{out}': {error.strerror}") from error
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


def main():
    arguments = sys.argv[1:]
    if arguments in (["-h"], ["--help"]):
        print(__doc__.strip())
        return 0
    if len(arguments) != 2 or not arguments[1]:
        raise Refused("expected a file of statistics and a file to draw to; see --help")
    if arguments[0] == "--check":
        check(arguments[1])
    else:
        draw(*arguments)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Refused as problem:
        print(f"infini-stats-plot: error: {problem}", file=sys.stderr)
        sys.exit(1)
