// A chart of lines and points: hover, arrow keys, dragging over a range, drawn anew at every width.

const MARGIN = { top: 10, right: 14, bottom: 44, left: 66 };

class Chart {
  // lines: [{name, color, dash, shape, curve, points: [{x, y, error, tip}]}], what has no tip is not pointed at;
  // end: what stands at a line's end, strength: its opacity; levels: [{y, color, name}], dotted; curve: number of the
  // curve that a line hides with, or null.
  constructor(options) {
    Object.assign(this, { levels: [], logarithmic: false, hidden: new Set(), height: 340 }, options);
    this.zoom = null;
    this.current = null;
    this.reset = element("button", { type: "button", hidden: "" }, "whole range");
    this.reset.addEventListener("click", () => { this.zoom = null; this.draw(); this.svg.focus(); });
    this.tip = element("div", { class: "tip", hidden: "" });
    this.svg = drawn("svg", { role: "group", tabindex: "0", "aria-label":
      `Chart: ${this.title}. Arrow keys go from point to point; the table of points has the same figures.` });
    this.figure = element("figure", { class: "chart" },
      element("figcaption", {}, element("span", {}, this.title), this.reset), this.svg, this.tip);
    this.listen();
    new ResizeObserver(() => {
      if (Math.round(this.figure.clientWidth) !== this.width) this.draw();
    }).observe(this.figure);
  }

  listen() {
    const at = (event) => {
      const box = this.svg.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    this.svg.addEventListener("pointermove", (event) => {
      const [x, y] = at(event);
      if (this.drag !== undefined && Math.abs(x - this.drag) > 5) this.mark(this.drag, x);
      else this.show(this.nearest(x, y, event.pointerType === "mouse" ? 45 : 70));
    });
    this.svg.addEventListener("pointerdown", (event) => {
      const [x, y] = at(event);
      if (event.pointerType === "mouse" && event.button === 0) {
        this.drag = x;
        this.svg.setPointerCapture(event.pointerId);
      } else this.show(this.nearest(x, y, 70));
    });
    this.svg.addEventListener("pointerup", (event) => {
      const [x] = at(event);
      const from = this.drag;
      this.drag = undefined;
      if (from === undefined || Math.abs(x - from) <= 12) return this.mark();
      this.zoom = [from, x].map((p) => this.invert(p)).sort((a, b) => a - b);
      return this.draw();
    });
    this.svg.addEventListener("pointercancel", () => { this.drag = undefined; this.mark(); });
    this.svg.addEventListener("pointerleave", () => this.show(null));
    this.svg.addEventListener("blur", () => this.show(null));
    this.svg.addEventListener("keydown", (event) => {
      if (event.key === "Escape") return this.show(null);
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const jump = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step && !jump) return undefined;
      event.preventDefault();
      return this.show(this.beside(step, jump), true);
    });
  }

  // The next point on the line, or the one of the next line that is nearest in x.
  beside(step, jump) {
    const lines = [...new Set(this.spots.map((spot) => spot.line))];
    if (!lines.length) return null;
    if (!this.current) return this.spots[0];
    let line = this.current.line;
    if (jump) line = lines[(lines.indexOf(line) + jump + lines.length) % lines.length];
    const along = this.spots.filter((spot) => spot.line === line).sort((a, b) => a.x - b.x);
    if (jump) return along.reduce((a, b) => (Math.abs(b.x - this.current.x) < Math.abs(a.x - this.current.x) ? b : a));
    const place = along.findIndex((spot) => spot.point === this.current.point) + step;
    return along[Math.min(Math.max(place, 0), along.length - 1)];
  }

  nearest(x, y, reach) {
    let best = null;
    let least = reach;
    for (const spot of this.spots) {
      const away = Math.hypot(spot.x - x, spot.y - y);
      if (away < least) [best, least] = [spot, away];
    }
    return best;
  }

  show(spot, aloud = false) {
    this.current = spot;
    this.ring?.remove();
    this.tip.hidden = !spot;
    if (!spot) return;
    this.ring = drawn("circle", { class: "ring", cx: spot.x, cy: spot.y, r: 8 });
    this.svg.append(this.ring);
    const { heading, figures } = spot.point.tip();
    this.tip.replaceChildren(element("strong", {}, heading),
      element("dl", {}, ...figures.flatMap(([key, value]) => [element("dt", {}, key), element("dd", {}, value)])));
    const top = this.figure.firstChild.offsetHeight;
    const room = this.figure.clientWidth - this.tip.offsetWidth;
    const right = spot.x + 14;
    this.tip.style.left = `${Math.max(0, right <= room ? right : Math.min(room, spot.x - 14 - this.tip.offsetWidth))}px`;
    const above = spot.y - this.tip.offsetHeight - 12;
    this.tip.style.top = `${top + (above > 0 ? above : spot.y + 14)}px`;
    if (aloud) {
      document.getElementById("live").textContent = `${heading}: ${figures.map((pair) => pair.join(" ")).join(", ")}`;
    }
  }

  mark(from, to) {
    this.band?.remove();
    if (from === undefined) return;
    this.show(null);
    this.band = drawn("rect", { class: "range", x: Math.min(from, to), width: Math.abs(to - from), y: MARGIN.top,
      height: this.height - MARGIN.top - MARGIN.bottom });
    this.svg.append(this.band);
  }

  draw() {
    this.width = Math.round(this.figure.clientWidth);
    if (!this.width) return;
    const { width, height } = this;
    const high = (y) => (this.logarithmic ? Math.log10(y) : y);
    const shown = this.lines.filter((line) => !this.hidden.has(line.curve));
    const levels = this.levels.filter((level) => !this.hidden.has(level.curve));
    const [x0, x1] = this.zoom ?? range(shown.flatMap((line) => line.points.map((p) => p.x)));
    // The bound reaches beyond the points; the axis is theirs.
    const inside = shown.flatMap((line) => line.points.filter((p) => p.x >= x0 && p.x <= x1))
      .concat(shown.flatMap((line) => crossings(line.points, x0, x1)));
    const [y0, y1] = range([...inside.flatMap((p) => (p.error ? [p.y - p.error, p.y + p.error] : [p.y])).map(high),
      ...levels.map((level) => high(level.y)), ...(this.base === undefined ? [] : [this.base])]);
    const low = this.base !== undefined && y0 < this.base && inside.every((p) => p.y >= this.base) ? this.base : y0;
    const px = (x) => MARGIN.left + ((x - x0) / (x1 - x0)) * (width - MARGIN.left - MARGIN.right);
    const py = (y) => height - MARGIN.bottom - ((high(y) - low) / (y1 - low)) * (height - MARGIN.top - MARGIN.bottom);
    this.invert = (p) => x0 + ((p - MARGIN.left) / (width - MARGIN.left - MARGIN.right)) * (x1 - x0);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.setAttribute("height", height);
    this.reset.hidden = !this.zoom;
    this.tip.hidden = true;
    this.spots = [];
    const clip = `clip-${this.id}`;
    const body = drawn("g", { "clip-path": `url(#${clip})` });
    for (const level of levels) {
      body.append(drawn("path", { d: `M${px(x0)} ${py(level.y)}H${px(x1)}`, stroke: level.color, "stroke-width": 1.5,
        "stroke-dasharray": "1.5 4", fill: "none" }));
    }
    // Curves before bounds: arrow keys begin with a point.
    for (const line of shown) this.drawLine(body, line, px, py, [x0, x1]);
    const ends = this.ends(shown.filter((line) => line.end), px, py, x1);
    this.svg.replaceChildren(
      drawn("defs", {}, drawn("clipPath", { id: clip }, drawn("rect", { x: MARGIN.left - 7, y: MARGIN.top - 7,
        width: width - MARGIN.left - MARGIN.right + 14, height: height - MARGIN.top - MARGIN.bottom + 14 }))),
      ...this.axes(px, [x0, x1], [low, y1]), body, ...ends);
  }

  // What stands at the right ends of lines, none on top of another.
  ends(lines, px, py, x1) {
    const places = lines.map((line) => ({ line, last: line.points.filter((p) => p.x <= x1).at(-1) })).filter(({ last }) => last)
      .map(({ line, last }) => ({ line, x: px(last.x), y: py(last.y) })).sort((a, b) => a.y - b.y);
    places.forEach((place, i) => { if (i) place.y = Math.max(place.y, places[i - 1].y + 12); });
    const over = Math.max(0, (places.at(-1)?.y ?? 0) - (this.height - MARGIN.bottom));
    return places.map(({ line, x, y }) => drawn("text", { class: "end", x: x - 4, y: y - over - 4, "text-anchor": "end",
      style: `fill: ${line.color}` }, line.end));
  }

  drawLine(body, line, px, py, [x0, x1]) {
    const points = line.points.map((point) => ({ point, line, x: px(point.x), y: py(point.y) }));
    body.append(drawn("path", { d: points.map((p, i) => `${i ? "L" : "M"}${p.x.toFixed(1)} ${p.y.toFixed(1)}`).join(""),
      fill: "none", stroke: line.color, "stroke-width": line.shape ? 1.75 : 1.4, "stroke-dasharray": line.dash,
      "stroke-linejoin": "round", opacity: line.strength }));
    for (const spot of points) {
      const { point } = spot;
      if (line.shape && point.error) {
        body.append(drawn("path", { d: `M${spot.x} ${py(point.y - point.error)}V${py(point.y + point.error)}`,
          stroke: line.color, "stroke-width": 1 }));
      }
      if (line.shape) {
        body.append(drawn("path", { class: "marker", d: line.shape(4), transform: `translate(${spot.x} ${spot.y})`, fill: line.color }));
      }
      if (point.tip && point.x >= x0 && point.x <= x1) this.spots.push(spot);
    }
  }

  axes(px, [x0, x1], [y0, y1]) {
    const { width, height } = this;
    const bottom = height - MARGIN.bottom;
    const py = (y) => bottom - ((y - y0) / (y1 - y0)) * (bottom - MARGIN.top);
    const parts = [];
    for (const { value, text } of ticks(x0, x1, Math.max(3, Math.floor(width / 90)))) {
      parts.push(drawn("path", { class: "grid", d: `M${px(value)} ${MARGIN.top}V${bottom}` }),
        drawn("text", { x: px(value), y: bottom + 17, "text-anchor": "middle" }, text));
    }
    for (const { value, text } of this.logarithmic ? logTicks(y0, y1) : ticks(y0, y1, 6)) {
      parts.push(drawn("path", { class: "grid", d: `M${MARGIN.left} ${py(value)}H${width - MARGIN.right}` }),
        drawn("text", { x: MARGIN.left - 7, y: py(value) + 4, "text-anchor": "end" }, text));
    }
    parts.push(drawn("path", { class: "axis", fill: "none", d: `M${MARGIN.left} ${MARGIN.top}V${bottom}H${width - MARGIN.right}` }),
      drawn("text", { x: (MARGIN.left + width - MARGIN.right) / 2, y: height - 6, "text-anchor": "middle" }, this.x),
      drawn("text", { x: 0, y: 0, "text-anchor": "middle", transform: `translate(12 ${(MARGIN.top + bottom) / 2}) rotate(-90)` }, this.y));
    return parts;
  }
}

// Where a line enters and leaves a range of x.
function crossings(points, x0, x1) {
  const found = [];
  for (let i = 1; i < points.length; i += 1) {
    const [a, b] = [points[i - 1], points[i]];
    for (const x of [x0, x1]) {
      if ((a.x < x && b.x > x) || (a.x > x && b.x < x)) found.push({ x, y: a.y + ((x - a.x) / (b.x - a.x)) * (b.y - a.y) });
    }
  }
  return found;
}
