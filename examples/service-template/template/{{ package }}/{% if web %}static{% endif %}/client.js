// Copied as it is: the braces here are for the browser.
const ROW = "<p>{{ id }}: {{ summary }}</p>";

function fill(template, values) {
  return template.replace(/\{\{ (\w+) \}\}/g, (_, name) => {
    const span = document.createElement("span");
    span.textContent = values[name] ?? "";
    return span.innerHTML;
  });
}

for (const link of document.querySelectorAll("[data-list]")) {
  link.addEventListener("click", async () => {
    const rows = await (await fetch(link.dataset.list)).json();
    const filled = rows.map((row) => fill(ROW, { id: row.id, summary: JSON.stringify(row) }));
    document.getElementById("rows").innerHTML = filled.join("");
  });
}
