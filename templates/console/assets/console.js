// The console's one script: keys, copying, charts, the live tail. Every page reads and acts without it.
"use strict";
(() => {
  const files = document.body.dataset.files || "/console/assets/0";
  const typing = (at) => /^(INPUT|SELECT|TEXTAREA)$/.test(at.tagName) || at.isContentEditable;

  // Keys: g and a letter for a page, / for the search, ? for help.
  let afterG = false;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (afterG) {
      afterG = false;
      const link = document.querySelector(`nav a[data-key="${CSS.escape(event.key)}"]`);
      if (link) { event.preventDefault(); location.href = link.href; }
      return;
    }
    if (event.key === "g") afterG = true;
    if (event.key === "/") {
      const box = document.querySelector("[data-search], .filters input");
      if (box) { event.preventDefault(); box.focus(); } else { location.href = "/console/messages"; }
    }
    if (event.key === "?") help();
    if (event.key === "Escape") document.querySelectorAll("details.me[open]").forEach((one) => one.removeAttribute("open"));
  });

  function help() {
    const box = document.createElement("dialog");
    const list = document.createElement("ul");
    const line = (keys, label) => {
      const item = document.createElement("li");
      const kbd = document.createElement("kbd");
      kbd.textContent = keys;
      item.append(kbd, " ", label);
      list.append(item);
    };
    document.querySelectorAll("nav a[data-key]").forEach((link) => line(`g ${link.dataset.key}`, link.textContent));
    line("/", document.querySelector("[data-search]")?.labels[0]?.textContent || "/");
    const close = document.createElement("form");
    close.method = "dialog";
    const button = document.createElement("button");
    button.textContent = "OK";
    close.append(button);
    box.append(list, close);
    box.addEventListener("close", () => box.remove());
    document.body.append(box);
    box.showModal();
  }

  // A button that copies what stands beside it.
  document.querySelectorAll("pre.copy").forEach((pre) => {
    if (!navigator.clipboard) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = document.body.dataset.copy || "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(pre.querySelector("code").textContent);
      button.classList.add("copied");
      setTimeout(() => button.classList.remove("copied"), 1500);
    });
    pre.append(button);
  });

  // Charts: uPlot is fetched only by pages that have one.
  const plots = [...document.querySelectorAll("[data-chart]")];
  if (plots.length) {
    const sheet = document.createElement("link");
    sheet.rel = "stylesheet";
    sheet.href = `${files}/uplot.css`;
    const script = document.createElement("script");
    script.src = `${files}/uplot.js`;
    script.onload = () => plots.forEach(draw);
    document.head.append(sheet, script);
  }

  function draw(box) {
    const chart = JSON.parse(box.dataset.chart);
    if (!chart.at.length) return;
    const style = getComputedStyle(document.documentElement);
    const colour = (tone) => style.getPropertyValue(`--${tone}`).trim() || style.getPropertyValue("--accent").trim();
    const sums = chart.at.map(() => 0);
    const layers = chart.series.map((one) => one.values.map((value, at) => {
      if (!chart.stacked) return value;
      sums[at] += value;
      return sums[at];
    }));
    // 24 hours a day: what a span of the axis is told by, from the coarsest.
    const stamps = [[3600 * 24 * 28, "{MMM} {YYYY}"], [3600 * 24, "{D} {MMM}"], [3600, "{HH}:{mm}"], [60, "{HH}:{mm}"], [1, "{HH}:{mm}:{ss}"]]
      .map(([span, form]) => [span, form, span < 3600 * 24 ? "\n{D} {MMM}" : null, null, span < 3600 * 24 ? "\n{D} {MMM}" : null, null, null, null, 1]);
    const axis = { stroke: colour("quiet"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line"), width: 1 } };
    const series = chart.series.map((one, at) => ({
      label: one.label,
      stroke: colour(one.tone),
      fill: chart.stacked ? `${colour(one.tone)}44` : undefined,
      width: 2,
      value: (_, shown, __, index) => (index == null ? "" : one.values[index]),
      scale: "y",
      idx: at,
    }));
    // What stands on others is drawn first, so that the lower layers stay in sight.
    const order = chart.stacked ? [...series.keys()].reverse() : [...series.keys()];
    const plot = new uPlot({
      width: box.clientWidth, height: 200,
      series: [{ label: "UTC", value: "{YYYY}-{MM}-{DD} {HH}:{mm}" }, ...order.map((at) => series[at])],
      axes: [{ ...axis, values: stamps }, { ...axis, size: 48 }],
      scales: { y: { range: (_, low, high) => [Math.min(0, low), high <= 0 ? 1 : high * 1.05] } },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), "Etc/UTC"),
      cursor: { drag: { x: false, y: false } },
    }, [chart.at, ...order.map((at) => layers[at])], box);
    new ResizeObserver(() => plot.setSize({ width: box.clientWidth, height: 200 })).observe(box);
    if (!chart.link) return;
    plot.over.addEventListener("click", () => {
      const at = plot.cursor.idx;
      if (at == null) return;
      const step = chart.at.length > 1 ? chart.at[1] - chart.at[0] : 60;
      const moment = (seconds) => encodeURIComponent(new Date(seconds * 1e3).toISOString());
      location.href = chart.link.replace("{from}", moment(chart.at[at])).replace("{to}", moment(chart.at[at] + step));
    });
  }

  // The live tail: a line a time, newest on top; nothing is kept but the last hundred.
  const tail = document.querySelector("[data-tail]");
  if (tail && window.EventSource) follow(tail);

  function follow(box) {
    const lines = box.querySelector("[data-tail-lines]");
    const state = box.querySelector("[data-tail-state]");
    const filter = box.querySelector("[data-tail-filter]");
    const hold = box.querySelector("[data-tail-hold]");
    const aloud = box.querySelector("[data-tail-aloud]");
    let source, later;
    const tell = (word) => { state.textContent = state.dataset[word]; };
    const open = () => {
      close();
      const asked = new URLSearchParams({ mode: box.dataset.mode });
      new FormData(filter).forEach((value, name) => { if (value.trim()) asked.set(name, value.trim()); });
      source = new EventSource(`${box.dataset.tail}?${asked}`);
      source.onopen = () => tell("on");
      source.onmessage = (event) => add(JSON.parse(event.data));
      source.addEventListener("gap", () => add({ what: "…" }));
      source.onerror = () => {
        tell("off");
        // A refusal ends the source for good: it is asked anew, not too soon.
        if (source && source.readyState === EventSource.CLOSED) { close(); later = setTimeout(open, 10000); }
      };
    };
    const close = () => { clearTimeout(later); if (source) source.close(); source = undefined; };
    const part = (tag, text, name) => {
      const one = document.createElement(tag);
      one.textContent = text;
      if (name) one.className = name;
      return one;
    };
    const tone = (what) => /delivered$/.test(what) ? "good" : /failed|undelivered|expired|block/.test(what) ? "bad" : /unknown|challenge/.test(what) ? "warn" : "";
    const add = (line) => {
      const item = document.createElement("li");
      if (line.at) {
        const time = part("time", line.at.slice(11, 19));
        time.dateTime = line.at;
        item.append(time);
      }
      item.append(part("span", line.what, `status ${tone(line.what)}`));
      for (const name of ["channel", "kind", "to", "by", "error_code"]) if (line[name]) item.append(part("span", line[name]));
      if (line.reasons && line.reasons.length) item.append(part("span", line.reasons.join(", "), "code"));
      const href = line.message_id ? `/console/messages/${encodeURIComponent(line.message_id)}`
        : line.id && line.what.startsWith("decision.") ? `/console/fraud/decisions/${encodeURIComponent(line.id)}` : "";
      if (href) {
        const link = part("a", line.message_id || line.id, "code");
        link.href = href;
        item.append(link);
      }
      lines.prepend(item);
      while (lines.children.length > 100) lines.lastChild.remove();
    };
    hold.addEventListener("click", () => {
      const held = hold.getAttribute("aria-pressed") !== "true";
      hold.setAttribute("aria-pressed", held);
      if (held) { close(); tell("held"); } else open();
    });
    aloud.addEventListener("click", () => {
      const on = aloud.getAttribute("aria-pressed") !== "true";
      aloud.setAttribute("aria-pressed", on);
      lines.setAttribute("aria-live", on ? "polite" : "off");
    });
    filter.addEventListener("submit", (event) => event.preventDefault());
    filter.addEventListener("change", () => { if (hold.getAttribute("aria-pressed") !== "true") open(); });
    addEventListener("pagehide", close);
    addEventListener("pageshow", (event) => { if (event.persisted && hold.getAttribute("aria-pressed") !== "true") open(); });
    open();
  }
})();
