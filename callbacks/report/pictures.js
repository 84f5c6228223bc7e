// Pictures: cells of quantizers, and decoded images beside their originals.

function picture(source, alt, caption) {
  return element("figure", {}, element("img", { src: source, alt, loading: "lazy" }), element("figcaption", {}, caption));
}

function drawCells() {
  if (!data.cells.length) { section("cells").hidden = true; return; }
  section("cells").querySelector(".pictures").append(...data.cells.map(({ point, source }) => {
    const name = label(data.points[point]);
    return picture(source, `Cells of the quantizer in the source's plane: ${name}`, name);
  }));
}

function drawDecoded() {
  if (!data.decoded.length) { section("decoded").hidden = true; return; }
  section("decoded").append(...data.decoded.flatMap(({ name, original, pictures }) => [
    element("h3", {}, name),
    element("div", { class: "pictures parts" },
      picture(original, `The middle of ${name}, original`, "original"),
      ...pictures.map(({ point, source, bpp, psnr }) => {
        const figures = bpp === undefined ? "" : `: ${decimals(bpp, 4)} bits per pixel, ${decimals(psnr, 2)} dB`;
        const caption = `${label(data.points[point])}${figures}`;
        return picture(source, `The middle of ${name}, decoded: ${caption}`, caption);
      })),
  ]));
}
