// The page: its sections out of the figures.

const data = JSON.parse(document.getElementById("data").textContent);
const column = Object.fromEntries(data.columns.map((name, index) => [name, index]));
const figure = (point, name) => (name in column ? point.row[column[name]] : null);
const done = data.points.filter((point) => typeof figure(point, "rate") === "number");
const section = (name) => document.getElementById(name);
const seeds = new Set(data.points.map((point) => figure(point, "seed")).filter((seed) => seed !== null));
const several = data.sweeps.length > 1;
// A point of images: its rate is that of whole files; that of the likelihoods is beside it.
const ofImages = done.some((point) => typeof figure(point, "psnr") === "number");
const rateUnit = ofImages ? "bits per pixel" : "bits per symbol";
const rateAxis = ofImages ? "bits per pixel, of whole files" : "rate (bits per symbol)";
const charts = [];
const hidden = new Set();

function label(point) {
  const lambda = figure(point, "lambda");
  const name = data.curves[point.curve].name;
  const seed = seeds.size > 1 && figure(point, "seed") !== null ? `, seed ${figure(point, "seed")}` : "";
  return `${name}${lambda === null ? "" : `, λ = ${setting(lambda)}`}${seed}`;
}

function tip(point) {
  const figures = [[ofImages ? rateAxis : "rate", withError(figure(point, "rate"), figure(point, "rate_error"))]];
  const add = (name, value) => { if (value !== null && value !== undefined) figures.push([name, value]); };
  const shown = (name) => (figure(point, name) === null ? null : withError(figure(point, name), figure(point, `${name}_error`)));
  if (ofImages) add("bits per pixel, estimated", shown("estimated_rate"));
  else add("rate in a file", shown("coded_rate"));
  add(ofImages ? "MSE, of 0 to 255" : "distortion", shown("distortion"));
  if (point.decibels !== null && !("psnr" in column)) add("in dB", decimals(point.decibels, 3));
  add("PSNR, dB", shown("psnr"));
  add("MS-SSIM", shown("ms_ssim"));
  add("R(D)", shown("bound_rate"));
  add("gap to R(D)", shown("gap"));
  add("gap in theory", shown("theory_gap"));
  if (several) add("sweep", data.sweeps[point.sweep].name);
  add("job", point.job);
  return { heading: label(point), figures };
}

function curveChart(title, y, value, options = {}) {
  const lines = [];
  data.curves.forEach((curve, index) => {
    const points = done.filter((p) => p.curve === index && typeof value(p) === "number")
      .map((p) => ({ x: figure(p, "rate"), y: value(p), error: options.error?.(p), tip: () => tip(p) }))
      .sort((a, b) => a.x - b.x);
    if (points.length) lines.push({ ...look(index), name: curve.name, curve: index, points });
  });
  if (!lines.length) return;
  lines.push(...(options.bounds ?? []));
  const chart = new Chart({ id: charts.length, title, x: rateAxis, y, lines, hidden, ...options });
  charts.push(chart);
  section("curves").querySelector(".charts").append(chart.figure);
  chart.draw();
}

function drawCurves() {
  if (!done.length) { section("curves").hidden = true; return; }
  const legend = section("curves").querySelector(".legend");
  data.curves.forEach((curve, index) => {
    if (!done.some((point) => point.curve === index)) return;
    const button = element("button", { type: "button", "aria-pressed": "true" }, swatch(look(index)), curve.name);
    button.addEventListener("click", () => {
      const off = !hidden.has(index);
      hidden[off ? "add" : "delete"](index);
      button.setAttribute("aria-pressed", String(!off));
      charts.forEach((chart) => chart.draw());
    });
    legend.append(button);
  });
  const bounds = data.bounds.map((bound) => ({
    name: bound.name, color: "var(--bound)", dash: data.bounds.length > 1 ? "6 3" : null, curve: null,
    shape: bound.points.length === 1 ? SHAPES[0] : null,
    points: bound.points.map(([rate, distortion, decibels]) => ({ x: rate, y: decibels, tip: () => ({ heading: bound.name,
      figures: [["rate", number(rate)], ["distortion", number(distortion)], ["in dB", decimals(decibels, 3)]] }) })),
  }));
  if (bounds.length) {
    const line = swatch({ color: "var(--bound)", dash: bounds[0].dash });
    legend.append(element("span", { class: "hint" }, line, " R(D)"));
  }
  if (ofImages) {
    curveChart("PSNR over rate", "PSNR (dB)", (p) => figure(p, "psnr"));
    // As it is usual: near 1, MS-SSIM itself shows nothing.
    curveChart("MS-SSIM over rate", "−10 log10(1 − MS-SSIM) (dB)",
      (p) => (figure(p, "ms_ssim") === null ? null : -10 * Math.log10(1 - figure(p, "ms_ssim"))));
  } else curveChart("Distortion over rate", "distortion (dB)", (p) => p.decibels, { bounds });
  const levels = data.curves.map((curve, index) => ({ y: curve.theory, color: look(index).color, curve: index }))
    .filter((level) => typeof level.y === "number");
  const gaps = done.some((p) => typeof figure(p, "gap") === "number");
  if (gaps) {
    const title = levels.length ? "Gap to R(D) over rate; dotted: theory, at high rate" : "Gap to R(D) over rate";
    curveChart(title, "gap (bits per symbol)", (p) => figure(p, "gap"),
      { levels, base: 0, error: (p) => figure(p, "gap_error") });
  }
}

// The columns people read first, with their headings; all others follow on request.
const HEADINGS = {
  lambda: ["λ"], n: ["n", "symbols in a block"], seed: ["seed"], rate: ["rate", rateUnit],
  coded_rate: ["in a file", "bits of a real bitstream per symbol"], distortion: ["distortion", "mean over symbols and components"],
  decibels: ["dB", "10 log10 of the distortion"], bound_rate: ["R(D)", "bits per symbol"],
  psnr: ["PSNR", "dB, mean over images"], ms_ssim: ["MS-SSIM", "mean over images"],
  gap: ["gap", "rate above R(D), bits per symbol"], theory_gap: ["theory", "the lattice's gap at high rate"],
  train_seconds: ["training, s", "seconds of training"],
};
if (ofImages) {
  Object.assign(HEADINGS, { rate: ["bpp", "bits per pixel of whole files"],
    estimated_rate: ["bpp, estimated", "bits per pixel by the likelihoods"], psnr: ["PSNR, dB", "mean over images"],
    distortion: ["MSE (0–255)²", "squared error of pixels from 0 to 255, mean over pixels and colours"] });
}

function drawPoints() {
  const known = (name) => data.points.some((point) => figure(point, name) !== null);
  const numeric = (name) => data.points.every((point) => [null, "number"].includes(figure(point, name) === null ? null : typeof figure(point, name)));
  const whole = (name) => data.points.every((point) => figure(point, name) === null || Number.isInteger(figure(point, name)));
  const plain = (name, extra) => ({
    label: HEADINGS[name]?.[0] ?? name, title: HEADINGS[name]?.[1] ?? name, numeric: numeric(name), extra,
    value: (point) => figure(point, name),
    show: (point) => {
      if (["lambda", "seed", "n"].includes(name) || !numeric(name)) return setting(figure(point, name) ?? "");
      return name.endsWith("seconds") ? decimals(figure(point, name), 1) : number(figure(point, name), extra && whole(name));
    },
  });
  const swatched = (point) => [swatch(look(point.curve)), ` ${data.curves[point.curve].name}`];
  const columns = [{ label: "curve", title: "curve", value: (p) => data.curves[p.curve].name, show: swatched }];
  if (several) columns.push({ label: "sweep", title: "sweep", value: (p) => data.sweeps[p.sweep].name, show: (p) => data.sweeps[p.sweep].name });
  columns.push({ label: "job", title: "number of the job", value: (p) => p.job, show: (p) => p.job, extra: true });
  for (const name of Object.keys(HEADINGS)) {
    if (name === "decibels") {
      if (!known("psnr")) columns.push({ label: "dB", title: HEADINGS.decibels[1], numeric: true, value: (p) => p.decibels, show: (p) => decimals(p.decibels, 2) });
    } else if (known(name)) {
      const same = ["n", "seed"].includes(name) && new Set(data.points.map((p) => figure(p, name))).size === 1;
      columns.push(plain(name, same));
    }
  }
  columns.push(...data.columns.filter((name) => !(name in HEADINGS) && name !== "error" && known(name)).map((name) => plain(name, true)));
  const failure = (point) => (figure(point, "error") === null ? null : `failed: ${figure(point, "error")}`);
  const table = new Table(columns, data.points, "All points; a click on a heading sorts.", failure);
  const box = element("input", { type: "checkbox" });
  box.addEventListener("change", () => { table.all = box.checked; table.draw(); });
  section("points").querySelector(".scroll").before(
    element("div", { class: "controls" }, element("label", {}, box, " all columns")));
  section("points").querySelector(".scroll").append(table.node);
}

function drawDifferences() {
  if (!data.differences.length) { section("differences").hidden = true; return; }
  const heads = data.curves.map((curve, index) => element("th", { scope: "col" }, swatch(look(index)), ` ${curve.name}`));
  const rows = data.differences.map(([key, values]) => element("tr", {}, element("th", { scope: "row" }, key),
    ...values.map((value) => element("td", { class: value.length > 40 ? "long" : null }, value === "" ? "–" : value))));
  section("differences").querySelector(".scroll").append(element("table", {},
    element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "setting"), ...heads)), element("tbody", {}, ...rows)));
}

function drawFacts() {
  section("facts").querySelector(".facts").append(...data.sweeps.map(({ name, facts }) => element("div", {},
    several ? element("h3", {}, name) : null,
    element("dl", {}, ...facts.flatMap(([key, value]) => [element("dt", {}, key), element("dd", {}, value)])))));
}

function summarize() {
  const failed = data.points.filter((point) => figure(point, "error"));
  const count = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
  const curves = new Set(done.map((point) => point.curve)).size;
  const parts = [`${count(done.length, "point")} on ${count(curves, "curve")}.`];
  const gaps = done.filter((point) => typeof figure(point, "gap") === "number");
  if (gaps.length) {
    // At a rate of nothing the gap is nothing.
    const high = gaps.filter((point) => figure(point, "rate") >= 1);
    const least = (high.length ? high : gaps).reduce((a, b) => (figure(b, "gap") < figure(a, "gap") ? b : a));
    parts.push(`Smallest gap to R(D)${high.length && high.length < gaps.length ? " at a bit or more" : ""}: ${withError(figure(least, "gap"), figure(least, "gap_error"))} bits per symbol (${label(least)}).`);
  }
  section("summary").append(parts.join(" "));
  if (failed.length) section("summary").append(element("span", { class: "bad" }, ` ${count(failed.length, "job")} failed; the table says why.`));
}

summarize();
drawCurves();
drawPoints();
drawDifferences();
drawTraining();
drawDecoded();
drawCells();
drawFacts();
