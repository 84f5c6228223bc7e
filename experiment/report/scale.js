// Axes: ranges and round numbers.

// Round numbers in [low, high], about so many.
function ticks(low, high, count) {
  const raw = (high - low) / Math.max(count, 1);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 2.5, 5, 10].find((nice) => nice * power >= raw * 0.999);
  const digits = Math.max(0, 1 - Math.floor(Math.log10(step) + 1e-9));
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k += 1) found.push(k * step);
  const exact = found.every((v) => Number(v.toFixed(digits - 1 < 0 ? 0 : digits - 1)) === Number(v.toPrecision(12)));
  const shown = exact ? Math.max(0, digits - 1) : digits;
  const text = (v) => (Math.abs(v) >= 1e5 || step < 1e-5 ? Number(v.toPrecision(6)).toExponential() : v.toFixed(shown));
  return found.map((value) => ({ value, text: text(Math.abs(value) < step * 1e-9 ? 0 : value) }));
}

// Powers of ten, and 2 and 5 between them if they are few; value is the logarithm.
function logTicks(low, high) {
  const found = [];
  const between = high - low < 2.2 ? [1, 2, 5] : [1];
  for (let power = Math.floor(low); power <= high; power += 1) {
    for (const m of between) {
      const value = power + Math.log10(m);
      if (value >= low - 1e-9 && value <= high + 1e-9) found.push({ value, text: String(Number((m * 10 ** power).toPrecision(2))) });
    }
  }
  return found.length >= 2 ? found : ticks(low, high, 5).map((t) => ({ value: t.value, text: String(Number((10 ** t.value).toPrecision(3))) }));
}

// [low, high] of numbers with some air; a lone number gets a range around it.
function range(values, air = 0.06) {
  const known = values.filter((v) => Number.isFinite(v));
  if (!known.length) return [0, 1];
  const low = known.reduce((a, b) => Math.min(a, b));
  const high = known.reduce((a, b) => Math.max(a, b));
  const spread = high - low || Math.abs(high) * 0.1 || 1;
  return [low - air * spread, high + air * spread];
}
