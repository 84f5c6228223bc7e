// Tables: sorted by a click on a column, nulls last.

function compare(a, b) {
  const none = (v) => v === null || v === undefined || v === "";
  if (none(a) || none(b)) return null;
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
}

// columns: [{label, title, value: (item) => sort key, show: (item) => text or node, numeric, extra}];
// remark: (item) => a text in a line of its own below the item's, or null.
class Table {
  constructor(columns, items, caption, remark = () => null) {
    Object.assign(this, { columns, items, remark, all: false, by: null, down: false });
    this.body = element("tbody");
    this.head = element("tr");
    this.node = element("table", {}, element("caption", { class: "unseen" }, caption), element("thead", {}, this.head), this.body);
    this.draw();
  }

  draw() {
    const columns = this.columns.filter((column) => this.all || !column.extra);
    this.head.replaceChildren(...columns.map((column) => {
      const button = element("button", { type: "button", title: column.title }, column.label);
      button.addEventListener("click", () => this.sort(column));
      const order = this.by === column ? (this.down ? "descending" : "ascending") : "none";
      return element("th", { scope: "col", "aria-sort": order, class: column.numeric ? "number" : null }, button);
    }));
    this.body.replaceChildren(...this.items.flatMap((item) => {
      const cells = columns.map((column) => {
        const shown = column.show(item);
        const kind = column.numeric ? "number" : typeof shown === "string" && shown.length > 60 ? "long" : null;
        return element("td", { class: kind }, ...[shown].flat());
      });
      const remark = this.remark(item);
      if (remark === null) return [element("tr", {}, ...cells)];
      // As wide as the screen, however wide the table: what it says is read without scrolling.
      return [element("tr", { class: "remarked" }, ...cells), element("tr", { class: "remark" },
        element("td", { colspan: columns.length }, element("div", { class: "bad" }, remark)))];
    }));
  }

  sort(column) {
    this.down = this.by === column && !this.down;
    this.by = column;
    const none = (item) => [null, undefined, ""].includes(column.value(item));
    this.items = [...this.items].sort((a, b) => {
      if (none(a) || none(b)) return none(a) - none(b);
      return compare(column.value(a), column.value(b)) * (this.down ? -1 : 1);
    });
    const place = [...this.head.children].findIndex((th) => th.contains(document.activeElement));
    this.draw();
    this.head.children[place]?.firstChild.focus();
  }
}
