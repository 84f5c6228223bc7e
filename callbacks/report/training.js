// Training curves: a quantity over the steps, a line for each job, told apart at their ends.

function drawTraining() {
  if (!data.history.length) { section("training").hidden = true; return; }
  const choice = element("select", { id: "quantity" }, ...data.history.map((q, i) => element("option", { value: i }, q.name)));
  const lambdas = [...new Set(data.points.map((point) => figure(point, "lambda")))].filter((v) => v !== null).sort((a, b) => a - b);
  const lambda = element("select", { id: "lambda" }, element("option", { value: "" }, "all"),
    ...lambdas.map((value) => element("option", { value }, setting(value))));
  // More lines than that are a tangle.
  const crowded = Math.max(...data.history.map((quantity) => quantity.series.length)) > 24 && lambdas.length > 1;
  lambda.value = crowded ? String(lambdas[Math.floor(lambdas.length / 2)]) : "";
  const logarithmic = element("input", { type: "checkbox" });
  const place = element("div");
  let chart = null;
  const redraw = () => {
    const { name, series: every } = data.history[Number(choice.value)];
    const series = every.filter(({ point }) => lambda.value === "" || String(figure(data.points[point], "lambda")) === lambda.value);
    const positive = series.every((s) => s.values.every(([, y]) => y > 0));
    logarithmic.disabled = !positive;
    // The lines of a curve share its colour: the larger lambda, the stronger, and its number stands at the end.
    const among = lambdas.length > 1 && lambda.value === "";
    const lines = series.map(({ point, values }) => {
      const job = data.points[point];
      const { color, dash } = look(job.curve);
      const rank = lambdas.indexOf(figure(job, "lambda"));
      const told = among && rank >= 0 ? { end: `λ ${setting(lambdas[rank])}`, strength: 0.45 + (0.55 * rank) / (lambdas.length - 1) } : {};
      return { color, dash, ...told, curve: job.curve, name: label(job), points: values.map(([x, y]) => ({ x, y,
        tip: () => ({ heading: label(job), figures: [["step", setting(Math.round(x))], [name, number(y)]] }) })) };
    });
    const made = new Chart({ id: "training", title: name, x: "step", y: name, lines, hidden, logarithmic: positive && logarithmic.checked });
    if (chart) charts.splice(charts.indexOf(chart), 1);
    charts.push(made);
    chart = made;
    place.replaceChildren(made.figure);
    made.draw();
  };
  const loss = data.history.findIndex((q) => q.name === "train/loss");
  choice.value = String(Math.max(loss, 0));
  choice.addEventListener("change", redraw);
  lambda.addEventListener("change", redraw);
  logarithmic.addEventListener("change", redraw);
  section("training").append(element("div", { class: "controls" },
    element("label", { for: "quantity" }, "quantity "), choice,
    ...(lambdas.length > 1 ? [element("label", { for: "lambda" }, "λ "), lambda] : []),
    element("label", {}, logarithmic, " logarithmic")), place);
  redraw();
}
