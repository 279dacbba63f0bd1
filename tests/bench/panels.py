# SPDX-License-Identifier: Apache-2.0
"""Small line charts beside each other as one SVG picture."""
import dataclasses
import html
import math

WIDTH, HEIGHT, ACROSS = 360, 240, 2
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 34, 44
COLORS = ("#06c", "#c33", "#393", "#e80")


@dataclasses.dataclass
class Panel:
    title: str
    x: str
    y: str
    logarithmic: bool  # the x axis; the y axis begins at 0
    lines: dict  # name -> [(x, y)]


def short(number):
    number = float("%.3g" % number)  # 999,998 is 1M
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if number >= size:
            return "%.3g%s" % (number / size, letter)
    return "%.3g" % number


def top_of(values):
    most = max(values) or 1
    power = 10 ** math.floor(math.log10(most))
    return 2 * math.ceil(most / power / 2) * power


def text(x, y, words, anchor="middle", size=11, more=""):
    return "<text x='%.1f' y='%.1f' font-size='%d' text-anchor='%s' %s>%s</text>" % (
        x, y, size, anchor, more, html.escape(words))


def draw(panel, left, top):
    points = [point for line in panel.lines.values() for point in line]
    low, high = min(p[0] for p in points), max(p[0] for p in points)
    most = top_of([p[1] for p in points])
    wide, high_px = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x_of(value):
        if high == low:
            return left + LEFT + wide / 2
        share = (math.log(value / low) / math.log(high / low)) if panel.logarithmic \
            else (value - low) / (high - low)
        return left + LEFT + wide * share

    def y_of(value):
        return top + TOP + high_px * (1 - value / most)

    parts = [text(left + WIDTH / 2, top + 18, panel.title, size=13, more="font-weight='bold'")]
    for mark in (0, most / 2, most):
        parts.append("<path d='M%.1f %.1fh%.1f' stroke='#ddd'/>" % (left + LEFT, y_of(mark), wide))
        parts.append(text(left + LEFT - 6, y_of(mark) + 4, short(mark), "end"))
    marks = sorted({p[0] for p in points})
    for mark, anchor in ((marks[0], "start"), (marks[len(marks) // 2], "middle"),
                         (marks[-1], "end")):
        parts.append(text(x_of(mark), top + HEIGHT - BOTTOM + 15, short(mark), anchor))
    parts.append(text(left + LEFT + wide / 2, top + HEIGHT - 12, panel.x))
    parts.append(text(left + 12, top + TOP + high_px / 2, panel.y, more="transform='rotate(-90 %.1f "
                      "%.1f)'" % (left + 12, top + TOP + high_px / 2)))
    for (name, line), color in zip(panel.lines.items(), COLORS):
        path = "L".join("%.1f %.1f" % (x_of(x), y_of(y)) for x, y in line)
        parts.append("<path d='M%s' fill='none' stroke='%s' stroke-width='2'/>" % (path, color))
        parts += ["<circle cx='%.1f' cy='%.1f' r='3' fill='%s'/>" % (x_of(x), y_of(y), color)
                  for x, y in line]
    if len(panel.lines) > 1:
        for number, (name, color) in enumerate(zip(panel.lines, COLORS)):
            parts.append(text(left + LEFT + 8, top + TOP + 12 + 14 * number, name, "start",
                              more="fill='%s'" % color))
    return parts


def write_panels(path, panels):
    rows = (len(panels) + ACROSS - 1) // ACROSS
    parts = ["<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' width='%d' "
             "font-family='sans-serif' fill='#222'>" % (WIDTH * ACROSS, HEIGHT * rows,
                                                       WIDTH * ACROSS),
             "<rect width='100%' height='100%' fill='#fff'/>"]
    for number, panel in enumerate(panels):
        parts += draw(panel, WIDTH * (number % ACROSS), HEIGHT * (number // ACROSS))
    path.write_text("\n".join(parts) + "\n</svg>\n")
