"use strict";
// Makes the heads of every table buttons that sort it; without this script the tables stand in order of rank.
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const words = head.classList.contains("text");
      const now = head.getAttribute("aria-sort");
      const order = now === null ? (words || column === 0 ? "ascending" : "descending") : now === "ascending" ? "descending" : "ascending";
      const sign = order === "ascending" ? 1 : -1;
      const key = (row) => row.cells[column].dataset.value;
      const rows = [...body.rows].sort((one, other) => {
        const [a, b] = [key(one), key(other)];
        if (a === "" || b === "") return (a === "") - (b === ""); // what is missing stays last
        return sign * (words ? a.localeCompare(b) : Number(a) - Number(b));
      });
      body.append(...rows);
      for (const each of heads) each.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", order);
      document.getElementById("told").textContent = `sorted by ${button.textContent}, ${order}`;
    });
  });
}
