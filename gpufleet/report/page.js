"use strict";
for (const part of document.querySelectorAll("[data-findings]")) {
  const filters = part.querySelector(".filters");
  const rows = [...part.querySelectorAll("tbody tr")];
  const status = part.querySelector("[role=status]");
  const value = (name) => filters.querySelector(`[name="${name}"]`);
  const matches = (row) =>
    ["level", "rule", "pack"].every((name) => !value(name).value || row.dataset[name] === value(name).value) &&
    (!value("new").checked || row.dataset.new === "yes") &&
    row.textContent.toLowerCase().includes(value("text").value.trim().toLowerCase());
  const show = () => {
    let shown = 0;
    for (const row of rows) {
      row.hidden = !matches(row);
      shown += row.hidden ? 0 : 1;
    }
    status.textContent = `${shown} of ${rows.length} findings shown`;
  };
  filters.hidden = false;
  filters.addEventListener("input", show);
  filters.querySelector("button").addEventListener("click", () => {
    for (const one of filters.querySelectorAll("select, input[type=search]")) one.value = "";
    value("new").checked = false;
    show();
    value("level").focus();
  });
}
addEventListener("beforeprint", () => {
  for (const one of document.querySelectorAll("details")) one.open = true;
});
